import Router from '@koa/router';
import Koa from 'koa';

/** The ceiling of the bench on feeds: a route of Koa that answers the same bytes each time, and does nothing else. */
const body = process.env.BENCH_BODY ?? '';
const router = new Router();
router.get('/api/feed', (ctx) => {
  ctx.type = 'application/json';
  ctx.body = body;
});
const app = new Koa();
app.use(router.routes());
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ msg: 'listening', port }));
});
