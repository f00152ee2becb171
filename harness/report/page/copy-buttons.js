/** Copies the block beside a button. */
for (const button of document.querySelectorAll('.copy button')) {
  button.addEventListener('click', async () => {
    const block = button.parentElement.querySelector('code');
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(block);
      button.textContent = 'Selected';
    }
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 2000);
  });
}
