import { expect, it } from 'vitest';
import { guess } from './guess.ts';

/** A line of a file, and the port and the path that it tells. */
const lines: readonly (readonly [path: string, line: string, told: string])[] = [
  ['main.go', 'srv := &http.Server{Addr: ":8080"}', '8080 -'],
  ['main.go', 'srv := &http.Server{Addr: "127.0.0.1:8080"}', '8080 -'],
  ['main.go', 'l, err := net.Listen("tcp", ":8080")', '8080 -'],
  ['main.go', 'addr := flag.String("addr", ":8085", "address")', '8085 -'],
  ['main.go', 'port := flag.Int("port", 8085, "port")', '8085 -'],
  ['main.go', 'if port == "" { port = "8085" }', '8085 -'],
  ['main.go', 'port := getenv("PORT", "8085")', '8085 -'],
  ['main.go', 'r.Run(":8085")', '8085 -'],
  ['main.go', 'e.Logger.Fatal(e.Start(":1323"))', '1323 -'],
  ['main.go', 'http.ListenAndServeTLS(":8443", a, b, nil)', '8443 -'],
  ['main.go', 'rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})', '- -'],
  ['server.js', 'await fastify.listen({ port: 3000 });', '3000 -'],
  ['server.js', 'const port = Number(process.env.PORT ?? 3000)', '3000 -'],
  ['server.js', "const PORT = parseInt(process.env.PORT || '3000', 10);", '3000 -'],
  ['server.js', 'const { PORT = 3000 } = process.env;', '3000 -'],
  ['server.ts', "server.listen(PORT, '127.0.0.1'); // 3", '- -'],
  ['app.py', 'app.run(host="0.0.0.0", port=5001, debug=True)', '5001 -'],
  ['app.py', 'uvicorn.run("main:app", host="0.0.0.0", port=8001)', '8001 -'],
  ['app.py', 'port = int(os.environ.get("PORT", 5001))', '5001 -'],
  ['gunicorn.conf.py', 'bind = "0.0.0.0:8002"', '8002 -'],
  ['gunicorn.conf.py', 'bind = f"0.0.0.0:{port}"', '- -'],
  ['Procfile', 'web: uvicorn main:app --host 0.0.0.0 --port 8003', '8003 -'],
  ['Procfile', 'web: gunicorn app:app -b 0.0.0.0:8004 -w 4', '8004 -'],
  ['Procfile', 'web: gunicorn app:app', '8000 -'],
  ['Dockerfile', 'CMD ["gunicorn", "--bind", "0.0.0.0:8005", "app:app"]', '8005 -'],
  ['Dockerfile', 'ENV PORT=8006', '8006 -'],
  ['Dockerfile', 'ENV PORT 8006', '8006 -'],
  ['Dockerfile', 'EXPOSE 8007/tcp', '8007 -'],
  ['Dockerfile', 'EXPOSE ${PORT}', '- -'],
  ['package.json', '{"scripts":{"start":"next start -p 3005"}}', '3005 -'],
  ['package.json', '{"scripts":{"start":"next start"},"dependencies":{"next": "15"}}', '3000 -'],
  ['Makefile', '\tdocker run -d -p 8080:80 shop', '8080 -'],
  ['Makefile', '\tdocker run -d -p 127.0.0.1:8080:80 shop', '8080 -'],
  ['Makefile', '\tssh -p 2222 host', '- -'],
  ['views.py', "path('health/', health),", '- /health/'],
  ['main.py', "@app.get('/api/v1/healthz')", '- /api/v1/healthz'],
  ['app.ts', 'router.get(`/ready`, x)', '- /ready'],
  ['App.java', '@GetMapping("/health")', '- /health'],
  ['main.rs', '.route("/healthz", get(h))', '- /healthz'],
  ['main.rs', 'TcpListener::bind("0.0.0.0:3000").await', '3000 -'],
  ['config.ru.rb', 'set :port, 4567', '4567 -'],
  ['app.js', "fetch('https://x.com/status')", '- -'],
  ['app.js', 'const timeout = 5000; const importance = 4000', '- -'],
  ['app.js', 'smtp: { port: 587 }, db: { port: 5432 }', '- -'],
];

it.each(lines)('%s: %s tells %s', (path, line, told) => {
  const files = [{ path, lines: ['', line] }];
  const [service] = guess({ name: 'shop', files, names: new Set(), unread: [] }).services;
  expect(`${service?.port?.value ?? '-'} ${service?.path?.value ?? '-'}`).toBe(told);
  const from = service?.port?.from ?? service?.path?.from;
  if (from !== undefined) expect(from).toContain(`${path}:2`);
});

it('prefers what was told to run over what the source falls back to, and live over ready', () => {
  const files = [
    { path: 'server.js', lines: ["get('/readyz')", "get('/healthz')", 'listen(process.env.PORT || 3000)'] },
    { path: '.env', lines: ['# PORT=1111', 'PORT=5000'] },
  ];
  const [service] = guess({ name: 'shop', files, names: new Set(), unread: [] }).services;
  expect(service).toMatchObject({
    port: { value: '5000', from: '.env:2' },
    path: { value: '/healthz', from: 'server.js:2' },
  });
});
