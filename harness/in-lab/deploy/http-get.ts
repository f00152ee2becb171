/** One GET on a connection of its own. */
import { request, type IncomingHttpHeaders } from 'node:http';

/** What came of it: the answer's head, or the system's word for what went wrong. */
export type GetResult = { readonly status: number; readonly headers: IncomingHttpHeaders } | { readonly error: string };

/** Asks for `url`; resolves, whatever happens, within `timeoutMs`. */
export async function httpGet(
  url: string,
  timeoutMs: number,
  headers: Record<string, string> = {},
): Promise<GetResult> {
  return await new Promise((resolve) => {
    const asked = request(url, { headers, agent: false, timeout: timeoutMs }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    asked.end();
  });
}
