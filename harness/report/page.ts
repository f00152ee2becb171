/** How report.html looks, and its one script. */

/** Light or dark, as the reader's machine is set; wide tables and charts scroll by themselves on a narrow screen. */
export const pageStyle = `:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --muted: #57606a; --phase: #6b5b1f; --line: #d0d7de; --shade: #f4f6f8;
  --plain: #c9d9e6; --pass: #116329; --fail: #a40e26; --doubt: #7d4e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e6e9ed; --muted: #a5aeb8; --phase: #d8c98a; --line: #39424d; --shade: #1d232a;
    --plain: #34495c; --pass: #5cd27a; --fail: #ff8f93; --doubt: #efb84f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 12px; }
h2 { font-size: 1.25rem; margin: 40px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); }
p, li { max-width: 80ch; overflow-wrap: anywhere; }
ul { padding-left: 1.2em; }
li { margin: 4px 0; }
code { font: 0.875em/1.5 ui-monospace, monospace; }
.verdict { font-size: 0.6em; padding: 3px 10px; border: 2px solid; border-radius: 999px; vertical-align: middle; white-space: nowrap; }
.pass { color: var(--pass); }
.fail { color: var(--fail); }
.inconclusive, .aborted { color: var(--doubt); }
.copy { position: relative; margin: 12px 0; }
pre { margin: 0; padding: 12px 84px 12px 14px; background: var(--shade); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
button { position: absolute; top: 8px; right: 8px; min-height: 32px; padding: 2px 12px; font: inherit; font-size: 0.85rem; color: var(--ink); background: var(--paper); border: 1px solid var(--muted); border-radius: 6px; cursor: pointer; }
.table, figure { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 600; }
figure { border: 1px solid var(--line); border-radius: 6px; }
figure svg { display: block; width: 100%; min-width: 640px; height: auto; }
:focus-visible { outline: 2px solid #56b4e9; outline-offset: 2px; }
@media (max-width: 600px) { th, td { min-width: 6.5em; } main { padding: 16px 14px 48px; } h1 { font-size: 1.4rem; } pre { padding: 12px; } .copy button { position: static; margin-top: 6px; } }
@media print { button { display: none; } figure svg { min-width: 0; } }
`;

/** Copies the block beside a button. */
export const pageScript = `for (const button of document.querySelectorAll('.copy button')) {
  button.addEventListener('click', async () => {
    const block = button.parentElement.querySelector('code');
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(block);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}
`;
