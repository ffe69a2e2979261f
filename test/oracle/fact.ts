/** Something that happened, with its place in time: the later (time, id) wins whatever it contradicts. */
export type Fact = { at: number; id: string } & What;

export interface Ready {
  width: number;
  height: number;
  placeholder: string;
  dominantColor: string;
  variants: { name: string; format: string; width: number; height: number; objectKey: string }[];
}

export interface Profile {
  fullName: string;
  bio: string;
  website: string | null;
  gender: string | null;
  avatarMediaId: string | null;
  /** Since when only followers who are let in see more than this; null: everybody does. */
  privateSince: number | null;
}

export interface Published {
  what: 'published';
  post: string;
  author: string;
  media: string[];
  caption: string;
  location: string | null;
  isReel: boolean;
  hideCounts: boolean;
  commentsOff: boolean;
}

export interface Registered {
  what: 'registered';
  person: string;
  username: string;
  email: string;
  dateOfBirth: string;
  profile: Profile;
}

/** Everything is named by its id. */
export type What =
  | Registered
  | { what: 'edited'; person: string; profile: Profile }
  | { what: 'followed'; follower: string; followee: string; since: number }
  | { what: 'asked'; follower: string; followee: string; since: number }
  | { what: 'granted'; follower: string; followee: string }
  | { what: 'unfollowed' | 'declined' | 'cancelled' | 'removed'; follower: string; followee: string }
  | { what: 'blocked'; blocker: string; blocked: string; since: number }
  | { what: 'unblocked'; blocker: string; blocked: string }
  | { what: 'liked' | 'unliked'; post: string; liker: string }
  | Published
  | { what: 'deleted'; post: string; author: string }
  | { what: 'requested' | 'uploaded'; media: string; owner: string }
  | ({ what: 'ready'; media: string; owner: string } & Ready)
  | { what: 'rejected'; media: string; owner: string; reason: string };
