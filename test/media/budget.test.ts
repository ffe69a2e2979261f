import { expect, it } from 'vitest';
import { createBudget } from '../../media-pipeline/run/budget.ts';

it('a budget never lets more through than there is, keeps the order, and survives failures', async () => {
  const budget = createBudget(10);
  const order: number[] = [];
  let under = 0;
  let most = 0;
  const spend = (amount: number): Promise<void> =>
    budget.spend(amount, async () => {
      under += Math.min(amount, 10);
      most = Math.max(most, under);
      order.push(amount);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under -= Math.min(amount, 10);
      if (amount === 3) throw new Error('broken');
    });
  const all = await Promise.allSettled([4, 3, 5, 99, 1, 2].map(spend));
  expect(all.map((one) => one.status).filter((status) => status === 'rejected')).toHaveLength(1);
  expect(order).toEqual([4, 3, 5, 99, 1, 2]);
  expect(most).toBe(10);
});
