import type { Queryable } from '../../platform/postgres/pool.ts';
import { modelTopics } from '../../schemas/models.ts';
import { noTie, type Relation, relationOf, type Tie } from '../../schemas/visibility/visibility.ts';
import { findPerson, type Person } from '../account/user.state.ts';
import { type Lookup, openLookup } from '../guards/lookup.ts';
import type { Models } from '../guards/models.ts';

export interface KnownTie extends Tie {
  /** Since when the viewer has blocked the owner, milliseconds; null: not. */
  blockedAt: number | null;
  /** Newest event time of all that is said of the two, tombstones too; milliseconds. */
  eventTime: number;
}

/** What is between two people, by tieKey: an answer for any two, so that strangers are remembered, too. */
export function openTies(pool: Queryable, models: Models): Lookup<KnownTie> {
  return openLookup({
    topics: modelTopics.graph,
    version: () => models.schema('graph'),
    async load(keys) {
      const ends = keys.map((key) => key.split(' '));
      const s = models.schema('graph');
      const { rows } = await pool.query(
        `SELECT viewer_id, owner_id, f.live AS follows, f.followed_at, f.event_time AS said_at, f.approved,
                r.live AND (f.live IS NULL OR (r.event_time, r.event_id) > (f.event_time, f.event_id)) AS requests,
                r.requested_at, b.live AS blocks, b.blocked_at, o.live AS is_blocked,
                greatest(f.event_time, r.event_time, b.event_time, o.event_time) AS event_time
         FROM unnest($1::uuid[], $2::uuid[]) AS n (viewer_id, owner_id)
         LEFT JOIN ${s}.follow f ON (f.follower_id, f.followee_id) = (viewer_id, owner_id)
         LEFT JOIN ${s}.follow_request r ON (r.follower_id, r.followee_id) = (viewer_id, owner_id)
         LEFT JOIN ${s}.block b ON (b.blocker_id, b.blocked_id) = (viewer_id, owner_id)
         LEFT JOIN ${s}.block o ON (o.blocker_id, o.blocked_id) = (owner_id, viewer_id)`,
        [ends.map(([viewer]) => viewer), ends.map(([, owner]) => owner)],
      );
      return new Map(rows.map((row) => [tieKey(row.viewer_id, row.owner_id), tieOf(row)]));
    },
  });
}

function tieKey(viewerId: string, ownerId: string): string {
  return `${viewerId} ${ownerId}`;
}

interface TieRow {
  follows: boolean | null;
  followed_at: Date | null;
  said_at: Date | null;
  approved: boolean | null;
  requests: boolean | null;
  requested_at: Date | null;
  blocks: boolean | null;
  blocked_at: Date | null;
  is_blocked: boolean | null;
  event_time: Date | null;
}

function tieOf(row: TieRow): KnownTie {
  return {
    followedAt: row.follows ? row.followed_at!.getTime() : null,
    followSaidAt: row.follows ? row.said_at!.getTime() : null,
    approved: row.approved === true,
    requestedAt: row.requests ? row.requested_at!.getTime() : null,
    blocks: row.blocks === true,
    isBlocked: row.is_blocked === true,
    blockedAt: row.blocks ? row.blocked_at!.getTime() : null,
    eventTime: row.event_time?.getTime() ?? 0,
  };
}

const nothing: KnownTie = { ...noTie, blockedAt: null, eventTime: 0 };

export interface TieShell {
  people: Lookup<Person>;
  owners: Lookup<Person>;
  ties: Lookup<KnownTie>;
}

/** Somebody, and what is between them and whoever acts. */
export interface Standing {
  /** null: no such person is known. */
  person: Person | null;
  tie: KnownTie;
  relation: Relation;
  /** Newest event time of what is known of both, milliseconds. */
  newestSeen: number;
}

const unknown: Standing = { person: null, tie: nothing, relation: 'stranger', newestSeen: 0 };

type Position = Parameters<Lookup<Person>['get']>[1];

/** How the actor stands to whoever has the username. */
export async function standingTo(
  shell: TieShell,
  actorId: string,
  username: string,
  position: Position,
): Promise<Standing> {
  return standing(shell, actorId, await findPerson(shell.people, username, position), position);
}

/** The same of somebody by id. */
export async function standingToOwner(
  shell: TieShell,
  actorId: string,
  ownerId: string,
  position: Position,
): Promise<Standing> {
  return standing(shell, actorId, await shell.owners.get(ownerId, position), position);
}

async function standing(
  { ties }: TieShell,
  actorId: string,
  person: Person | null,
  position: Position,
): Promise<Standing> {
  if (!person) return unknown;
  const tie = await tieBetween(ties, actorId, person.userId, position);
  const relation = relationOf(actorId, person.userId, person, tie);
  return { person, tie, relation, newestSeen: Math.max(person.eventTime, tie.eventTime) };
}

/** The other way round: how whoever has the username stands to the actor. */
export async function standingOf(
  { people, owners, ties }: TieShell,
  username: string,
  actorId: string,
  position: Position,
): Promise<Standing> {
  const [person, actor] = await Promise.all([
    findPerson(people, username, position),
    owners.get(actorId, position),
  ]);
  if (!person || !actor) return unknown;
  const tie = await tieBetween(ties, person.userId, actorId, position);
  const relation = relationOf(person.userId, actorId, actor, tie);
  return { person, tie, relation, newestSeen: Math.max(person.eventTime, actor.eventTime, tie.eventTime) };
}

async function tieBetween(
  ties: TieShell['ties'],
  viewerId: string,
  ownerId: string,
  position: Position,
): Promise<KnownTie> {
  return (await ties.get(tieKey(viewerId, ownerId), position)) ?? nothing;
}
