import { expect, it } from 'vitest';
import { decideErase } from '../../command-api/account/erase.decide.ts';
import { ana, byAna, meta } from './given.ts';

it('an account is erased by whose it is', () => {
  expect(decideErase(byAna())).toEqual({ type: 'UserErased', meta, userId: ana });
});
