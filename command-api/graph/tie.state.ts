import type { Queryable } from '../../platform/postgres/pool.ts';
import { uuidArray } from '../../platform/postgres/prepared.ts';
import { type TieRow, tieColumns, tieJoins, tieOf } from '../../schemas/graph/tie.ts';
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

/** What is between two people, by tieKey; null of strangers, of whom nothing was ever said. */
export function openTies(pool: Queryable, models: Models): Lookup<KnownTie> {
  return openLookup({
    topics: modelTopics.graph,
    version: () => models.schema('graph'),
    async load(keys) {
      const ends = keys.map((key) => key.split(' '));
      const s = models.schema('graph');
      const { rows } = await pool.query(
        `SELECT viewer_id, owner_id, ${tieColumns}, b.blocked_at,
                greatest(f.event_time, r.event_time, b.event_time, o.event_time) AS event_time
         FROM unnest($1::uuid[], $2::uuid[]) AS n (viewer_id, owner_id) ${tieJoins(s, 'viewer_id', 'owner_id')}
         WHERE coalesce(f.event_id, r.event_id, b.event_id, o.event_id) IS NOT NULL`,
        [uuidArray(ends.map(([viewer]) => viewer!)), uuidArray(ends.map(([, owner]) => owner!))],
      );
      return new Map(rows.map((row) => [tieKey(row.viewer_id, row.owner_id), knownTieOf(row)]));
    },
    // Strangers may ask, be followed and be let in at any moment, on another node and without a position; and a request
    // that was answered must not be there to be answered again.
    keep: (tie) => tie.requestedAt === null && (tie.followedAt !== null || tie.blocks || tie.isBlocked),
  });
}

function tieKey(viewerId: string, ownerId: string): string {
  return `${viewerId} ${ownerId}`;
}

function knownTieOf(row: TieRow & { blocked_at: Date | null; event_time: Date | null }): KnownTie {
  return {
    ...tieOf(row),
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
  { people, ties }: TieShell,
  actorId: string,
  username: string,
  position: Position,
): Promise<Standing> {
  const person = await findPerson(people, username, position);
  if (!person) return unknown;
  return standing(actorId, person, await tieBetween(ties, actorId, person.userId, position));
}

/**
 * The same before a follow. Whether the account is open is asked anew for who follows it already: what was remembered from
 * before it was closed would have them follow once more, after the privacy and without leave, and shut them out.
 */
export async function standingToFollow(
  shell: TieShell,
  actorId: string,
  username: string,
  position: Position,
): Promise<Standing> {
  const known = await standingTo(shell, actorId, username, position);
  if (known.tie.followedAt === null) return known;
  const person = await shell.owners.anew(known.person!.userId);
  return person ? standing(actorId, person, known.tie) : unknown;
}

/** The same of somebody by id. */
export async function standingToOwner(
  { owners, ties }: TieShell,
  actorId: string,
  ownerId: string,
  position: Position,
): Promise<Standing> {
  const [person, tie] = await Promise.all([
    owners.get(ownerId, position),
    tieBetween(ties, actorId, ownerId, position),
  ]);
  return person ? standing(actorId, person, tie) : unknown;
}

function standing(actorId: string, person: Person, tie: KnownTie): Standing {
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
