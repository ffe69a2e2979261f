import type { CommandContext } from '../../command-api/append/decision.ts';

/** Ids that read as what they are; deciders take them as they come. */
export const ana = '01900000-0000-7000-8000-00000000000a';
export const ben = '01900000-0000-7000-8000-00000000000b';
export const newId = '01900000-0000-7000-8000-0000000000ff';

export const now = Date.UTC(2026, 4, 4, 12);

/** A command of Ana's at noon. */
export function byAna(overrides: Partial<CommandContext> = {}): CommandContext {
  return {
    eventId: '01900000-0000-7000-8000-0000000000ee',
    newId,
    time: now,
    actor: ana,
    correlation: '0af7651916cd43dd8448eb211c80319c',
    ...overrides,
  };
}

/** The envelope that an event of byAna() carries. */
export const meta = {
  id: '01900000-0000-7000-8000-0000000000ee',
  source: '/command-api',
  time: now,
  actor: ana,
  correlation: '0af7651916cd43dd8448eb211c80319c',
  causation: null,
};
