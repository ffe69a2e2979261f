// Generated from schemas/**/*.avsc by `npm run generate`. Do not edit.

/** Encrypted in the log with its owner's data key; null when absent, or when its owner was erased. */
export type Personal = string | null;

/** CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key. */
export interface Envelope {
  /** UUIDv7, minted once per fact; a repeat carries the same id. */
  id: string;
  /** The process that appended it, such as /command-api. */
  source: string;
  /** Event time; with id it settles every conflict. */
  time: number;
  /** User id of who acted; null for the system. */
  actor: null | string;
  /** W3C trace id of the request at the root. */
  correlation: string;
  /** Id of the event that caused this one, for reactors. */
  causation: null | string;
}

export interface MediaVariant {
  /** thumbnail, small, medium, large */
  name: string;
  /** jpeg, webp */
  format: string;
  width: number;
  height: number;
  bytes: number;
  /** Unguessable, under m/. */
  objectKey: string;
}

/** An account came to be. Credentials are in the vault, never here. */
export interface UserRegistered {
  type: 'UserRegistered';
  meta: Envelope;
  userId: string;
  username: Personal;
  email: Personal;
  fullName: Personal;
  /** YYYY-MM-DD */
  dateOfBirth: Personal;
  gender: Personal;
}

/** The whole profile as it stands after the edit, so that the newest one alone decides. */
export interface ProfileEdited {
  type: 'ProfileEdited';
  meta: Envelope;
  userId: string;
  fullName: Personal;
  bio: Personal;
  website: Personal;
  gender: Personal;
  avatarMediaId: null | string;
  /** Since when the account is private: meta.time of the edit that made it so. null: it is public. */
  privateSince: null | number;
}

/** The account is gone for good, and so is the data key of everything personal in the log that was its own. */
export interface UserErased {
  type: 'UserErased';
  meta: Envelope;
  userId: string;
}

export interface PostLiked {
  type: 'PostLiked';
  meta: Envelope;
  postId: string;
  likerId: string;
  /** Whose post it is, so that telling the author needs no look-up. */
  authorId: string;
}

export interface PostUnliked {
  type: 'PostUnliked';
  meta: Envelope;
  postId: string;
  likerId: string;
  authorId: string;
}

/** Published at meta.time. It shows once every one of its media is ready. */
export interface PostPublished {
  type: 'PostPublished';
  meta: Envelope;
  postId: string;
  authorId: string;
  caption: Personal;
  mediaIds: string[];
  location: Personal;
  isReel: boolean;
  hideCounts: boolean;
  commentsOff: boolean;
}

export interface PostDeleted {
  type: 'PostDeleted';
  meta: Envelope;
  postId: string;
  authorId: string;
}

/** Both vanish for each other. Follows and requests between the two, either way, that are older than this end. */
export interface UserBlocked {
  type: 'UserBlocked';
  meta: Envelope;
  blockerId: string;
  blockedId: string;
  /** Since when: meta.time of the first of these. */
  blockedAt: number;
}

/** Brings back no follow. */
export interface UserUnblocked {
  type: 'UserUnblocked';
  meta: Envelope;
  blockerId: string;
  blockedId: string;
}

/** followerId follows followeeId. Said again of a follow that stands, it carries the time of the first. */
export interface UserFollowed {
  type: 'UserFollowed';
  meta: Envelope;
  followerId: string;
  followeeId: string;
  /** Since when: meta.time of the first of these. */
  followedAt: number;
}

export interface UserUnfollowed {
  type: 'UserUnfollowed';
  meta: Envelope;
  followerId: string;
  followeeId: string;
}

/** followerId asks to follow followeeId, whose account is private. Said again of a request that stands, it carries the time of the first. It takes nothing from a follow that stands. */
export interface FollowRequested {
  type: 'FollowRequested';
  meta: Envelope;
  followerId: string;
  followeeId: string;
  /** Since when: meta.time of the first of these. */
  requestedAt: number;
}

/** followeeId lets followerId follow, since meta.time. */
export interface FollowRequestApproved {
  type: 'FollowRequestApproved';
  meta: Envelope;
  followerId: string;
  followeeId: string;
}

export interface FollowRequestDeclined {
  type: 'FollowRequestDeclined';
  meta: Envelope;
  followerId: string;
  followeeId: string;
}

/** followerId no longer asks, nor follows if that was granted meanwhile. */
export interface FollowRequestCancelled {
  type: 'FollowRequestCancelled';
  meta: Envelope;
  followerId: string;
  followeeId: string;
}

/** followeeId takes the follow of followerId away. */
export interface FollowerRemoved {
  type: 'FollowerRemoved';
  meta: Envelope;
  followerId: string;
  followeeId: string;
}

/** A presigned PUT was handed out for objectKey. */
export interface MediaUploadRequested {
  type: 'MediaUploadRequested';
  meta: Envelope;
  mediaId: string;
  ownerId: string;
  /** What the client says it is; the bytes decide. */
  contentType: string;
  fileName: Personal;
  /** Bytes, as the client announced them. */
  size: number;
  objectKey: string;
}

/** The client says the object is there; the pipeline takes it from here. */
export interface MediaUploaded {
  type: 'MediaUploaded';
  meta: Envelope;
  mediaId: string;
  ownerId: string;
  objectKey: string;
}

export interface MediaReady {
  type: 'MediaReady';
  meta: Envelope;
  mediaId: string;
  ownerId: string;
  /** image (video comes later) */
  kind: string;
  /** Pixels of the original, orientation applied. */
  width: number;
  height: number;
  /** thumbhash, base64 */
  placeholder: string;
  /** #rrggbb */
  dominantColor: string;
  variants: MediaVariant[];
}

export interface MediaRejected {
  type: 'MediaRejected';
  meta: Envelope;
  mediaId: string;
  ownerId: string;
  /** A stable code such as media_not_an_image. */
  code: string;
}

/** What a model takes instead of a record that it had parked. It concerns that model alone, and replay, rebuild and verify too; the newest ruling on a letter holds. */
export interface DeadLetterEdited {
  type: 'DeadLetterEdited';
  meta: Envelope;
  /** Of the model and the place in the log, see letterId() in dead-letter.ts. */
  letterId: string;
  /** Without version: likes, timelines, media-pipeline. */
  model: string;
  topic: string;
  partition: number;
  offset: number;
  /** A whole record as it would lie in the log, with the event id and the key of the first; its personal fields are encrypted. */
  replacement: Buffer;
}

/** A record that a model had parked and never takes. */
export interface DeadLetterDiscarded {
  type: 'DeadLetterDiscarded';
  meta: Envelope;
  letterId: string;
  model: string;
  topic: string;
  partition: number;
  offset: number;
  /** The operator's words; in clear and for ever, so nothing personal. */
  reason: null | string;
}

export type Event =
  | UserRegistered
  | ProfileEdited
  | UserErased
  | PostLiked
  | PostUnliked
  | PostPublished
  | PostDeleted
  | UserBlocked
  | UserUnblocked
  | UserFollowed
  | UserUnfollowed
  | FollowRequested
  | FollowRequestApproved
  | FollowRequestDeclined
  | FollowRequestCancelled
  | FollowerRemoved
  | MediaUploadRequested
  | MediaUploaded
  | MediaReady
  | MediaRejected
  | DeadLetterEdited
  | DeadLetterDiscarded;

export type EventType = Event['type'];
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

/** What the codec and the log need to know of each event: its topic, key field, data-key owner, schema. */
export const eventCatalog = {
  UserRegistered: {
    "topic": "user-events",
    "key": "userId",
    "owner": "userId",
    "personal": [
      "username",
      "email",
      "fullName",
      "dateOfBirth",
      "gender"
    ],
    "schema": {
      "type": "record",
      "name": "UserRegistered",
      "namespace": "emulsion",
      "topic": "user-events",
      "key": "userId",
      "owner": "userId",
      "doc": "An account came to be. Credentials are in the vault, never here.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "userId",
          "type": "string",
          "personal": false
        },
        {
          "name": "username",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "email",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "fullName",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "dateOfBirth",
          "type": "bytes",
          "personal": true,
          "doc": "YYYY-MM-DD"
        },
        {
          "name": "gender",
          "type": [
            "null",
            "bytes"
          ],
          "default": null,
          "personal": true
        }
      ]
    }
  },
  ProfileEdited: {
    "topic": "user-events",
    "key": "userId",
    "owner": "userId",
    "personal": [
      "fullName",
      "bio",
      "website",
      "gender"
    ],
    "schema": {
      "type": "record",
      "name": "ProfileEdited",
      "namespace": "emulsion",
      "topic": "user-events",
      "key": "userId",
      "owner": "userId",
      "doc": "The whole profile as it stands after the edit, so that the newest one alone decides.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "userId",
          "type": "string",
          "personal": false
        },
        {
          "name": "fullName",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "bio",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "website",
          "type": [
            "null",
            "bytes"
          ],
          "default": null,
          "personal": true
        },
        {
          "name": "gender",
          "type": [
            "null",
            "bytes"
          ],
          "default": null,
          "personal": true
        },
        {
          "name": "avatarMediaId",
          "type": [
            "null",
            "string"
          ],
          "default": null,
          "personal": false
        },
        {
          "name": "privateSince",
          "type": [
            "null",
            {
              "type": "long",
              "logicalType": "timestamp-millis"
            }
          ],
          "default": null,
          "doc": "Since when the account is private: meta.time of the edit that made it so. null: it is public."
        }
      ]
    }
  },
  UserErased: {
    "topic": "user-events",
    "key": "userId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "UserErased",
      "namespace": "emulsion",
      "topic": "user-events",
      "key": "userId",
      "doc": "The account is gone for good, and so is the data key of everything personal in the log that was its own.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "userId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  PostLiked: {
    "topic": "like-events",
    "key": "likerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "PostLiked",
      "namespace": "emulsion",
      "topic": "like-events",
      "key": "likerId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "postId",
          "type": "string",
          "personal": false
        },
        {
          "name": "likerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "authorId",
          "type": "string",
          "personal": false,
          "doc": "Whose post it is, so that telling the author needs no look-up."
        }
      ]
    }
  },
  PostUnliked: {
    "topic": "like-events",
    "key": "likerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "PostUnliked",
      "namespace": "emulsion",
      "topic": "like-events",
      "key": "likerId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "postId",
          "type": "string",
          "personal": false
        },
        {
          "name": "likerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "authorId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  PostPublished: {
    "topic": "post-events",
    "key": "authorId",
    "owner": "authorId",
    "personal": [
      "caption",
      "location"
    ],
    "schema": {
      "type": "record",
      "name": "PostPublished",
      "namespace": "emulsion",
      "topic": "post-events",
      "key": "authorId",
      "owner": "authorId",
      "doc": "Published at meta.time. It shows once every one of its media is ready.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "postId",
          "type": "string",
          "personal": false
        },
        {
          "name": "authorId",
          "type": "string",
          "personal": false
        },
        {
          "name": "caption",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "mediaIds",
          "type": {
            "type": "array",
            "items": "string"
          },
          "personal": false
        },
        {
          "name": "location",
          "type": [
            "null",
            "bytes"
          ],
          "default": null,
          "personal": true
        },
        {
          "name": "isReel",
          "type": "boolean",
          "default": false
        },
        {
          "name": "hideCounts",
          "type": "boolean",
          "default": false
        },
        {
          "name": "commentsOff",
          "type": "boolean",
          "default": false
        }
      ]
    }
  },
  PostDeleted: {
    "topic": "post-events",
    "key": "authorId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "PostDeleted",
      "namespace": "emulsion",
      "topic": "post-events",
      "key": "authorId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "postId",
          "type": "string",
          "personal": false
        },
        {
          "name": "authorId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  UserBlocked: {
    "topic": "follow-events",
    "key": "blockerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "UserBlocked",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "blockerId",
      "doc": "Both vanish for each other. Follows and requests between the two, either way, that are older than this end.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "blockerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "blockedId",
          "type": "string",
          "personal": false
        },
        {
          "name": "blockedAt",
          "type": {
            "type": "long",
            "logicalType": "timestamp-millis"
          },
          "doc": "Since when: meta.time of the first of these."
        }
      ]
    }
  },
  UserUnblocked: {
    "topic": "follow-events",
    "key": "blockerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "UserUnblocked",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "blockerId",
      "doc": "Brings back no follow.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "blockerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "blockedId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  UserFollowed: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "UserFollowed",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "doc": "followerId follows followeeId. Said again of a follow that stands, it carries the time of the first.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followedAt",
          "type": {
            "type": "long",
            "logicalType": "timestamp-millis"
          },
          "doc": "Since when: meta.time of the first of these."
        }
      ]
    }
  },
  UserUnfollowed: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "UserUnfollowed",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  FollowRequested: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "FollowRequested",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "doc": "followerId asks to follow followeeId, whose account is private. Said again of a request that stands, it carries the time of the first. It takes nothing from a follow that stands.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        },
        {
          "name": "requestedAt",
          "type": {
            "type": "long",
            "logicalType": "timestamp-millis"
          },
          "doc": "Since when: meta.time of the first of these."
        }
      ]
    }
  },
  FollowRequestApproved: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "FollowRequestApproved",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "doc": "followeeId lets followerId follow, since meta.time.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  FollowRequestDeclined: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "FollowRequestDeclined",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  FollowRequestCancelled: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "FollowRequestCancelled",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "doc": "followerId no longer asks, nor follows if that was granted meanwhile.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  FollowerRemoved: {
    "topic": "follow-events",
    "key": "followerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "FollowerRemoved",
      "namespace": "emulsion",
      "topic": "follow-events",
      "key": "followerId",
      "doc": "followeeId takes the follow of followerId away.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "followerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "followeeId",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  MediaUploadRequested: {
    "topic": "media-events",
    "key": "ownerId",
    "owner": "ownerId",
    "personal": [
      "fileName"
    ],
    "schema": {
      "type": "record",
      "name": "MediaUploadRequested",
      "namespace": "emulsion",
      "topic": "media-events",
      "key": "ownerId",
      "owner": "ownerId",
      "doc": "A presigned PUT was handed out for objectKey.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "mediaId",
          "type": "string",
          "personal": false
        },
        {
          "name": "ownerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "contentType",
          "type": "string",
          "personal": false,
          "doc": "What the client says it is; the bytes decide."
        },
        {
          "name": "fileName",
          "type": "bytes",
          "personal": true
        },
        {
          "name": "size",
          "type": "long",
          "doc": "Bytes, as the client announced them."
        },
        {
          "name": "objectKey",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  MediaUploaded: {
    "topic": "media-events",
    "key": "ownerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "MediaUploaded",
      "namespace": "emulsion",
      "topic": "media-events",
      "key": "ownerId",
      "doc": "The client says the object is there; the pipeline takes it from here.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "mediaId",
          "type": "string",
          "personal": false
        },
        {
          "name": "ownerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "objectKey",
          "type": "string",
          "personal": false
        }
      ]
    }
  },
  MediaReady: {
    "topic": "media-events",
    "key": "ownerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "MediaReady",
      "namespace": "emulsion",
      "topic": "media-events",
      "key": "ownerId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "mediaId",
          "type": "string",
          "personal": false
        },
        {
          "name": "ownerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "kind",
          "type": "string",
          "personal": false,
          "doc": "image (video comes later)"
        },
        {
          "name": "width",
          "type": "int",
          "doc": "Pixels of the original, orientation applied."
        },
        {
          "name": "height",
          "type": "int"
        },
        {
          "name": "placeholder",
          "type": "string",
          "personal": false,
          "doc": "thumbhash, base64"
        },
        {
          "name": "dominantColor",
          "type": "string",
          "personal": false,
          "doc": "#rrggbb"
        },
        {
          "name": "variants",
          "type": {
            "type": "array",
            "items": {
              "type": "record",
              "name": "MediaVariant",
              "namespace": "emulsion",
              "fields": [
                {
                  "name": "name",
                  "type": "string",
                  "personal": false,
                  "doc": "thumbnail, small, medium, large"
                },
                {
                  "name": "format",
                  "type": "string",
                  "personal": false,
                  "doc": "jpeg, webp"
                },
                {
                  "name": "width",
                  "type": "int"
                },
                {
                  "name": "height",
                  "type": "int"
                },
                {
                  "name": "bytes",
                  "type": "int"
                },
                {
                  "name": "objectKey",
                  "type": "string",
                  "personal": false,
                  "doc": "Unguessable, under m/."
                }
              ]
            }
          }
        }
      ]
    }
  },
  MediaRejected: {
    "topic": "media-events",
    "key": "ownerId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "MediaRejected",
      "namespace": "emulsion",
      "topic": "media-events",
      "key": "ownerId",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "mediaId",
          "type": "string",
          "personal": false
        },
        {
          "name": "ownerId",
          "type": "string",
          "personal": false
        },
        {
          "name": "code",
          "type": "string",
          "personal": false,
          "doc": "A stable code such as media_not_an_image."
        }
      ]
    }
  },
  DeadLetterEdited: {
    "topic": "operator-events",
    "key": "letterId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "DeadLetterEdited",
      "namespace": "emulsion",
      "topic": "operator-events",
      "key": "letterId",
      "doc": "What a model takes instead of a record that it had parked. It concerns that model alone, and replay, rebuild and verify too; the newest ruling on a letter holds.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "letterId",
          "type": "string",
          "personal": false,
          "doc": "Of the model and the place in the log, see letterId() in dead-letter.ts."
        },
        {
          "name": "model",
          "type": "string",
          "personal": false,
          "doc": "Without version: likes, timelines, media-pipeline."
        },
        {
          "name": "topic",
          "type": "string",
          "personal": false
        },
        {
          "name": "partition",
          "type": "int"
        },
        {
          "name": "offset",
          "type": "long"
        },
        {
          "name": "replacement",
          "type": "bytes",
          "personal": false,
          "holds": "record",
          "doc": "A whole record as it would lie in the log, with the event id and the key of the first; its personal fields are encrypted."
        }
      ]
    }
  },
  DeadLetterDiscarded: {
    "topic": "operator-events",
    "key": "letterId",
    "owner": null,
    "personal": [],
    "schema": {
      "type": "record",
      "name": "DeadLetterDiscarded",
      "namespace": "emulsion",
      "topic": "operator-events",
      "key": "letterId",
      "doc": "A record that a model had parked and never takes.",
      "fields": [
        {
          "name": "meta",
          "type": {
            "type": "record",
            "name": "Envelope",
            "namespace": "emulsion",
            "doc": "CloudEvents attributes that are not derivable: the type is the record's own name, the subject is the record's key.",
            "fields": [
              {
                "name": "id",
                "type": "string",
                "personal": false,
                "doc": "UUIDv7, minted once per fact; a repeat carries the same id."
              },
              {
                "name": "source",
                "type": "string",
                "personal": false,
                "doc": "The process that appended it, such as /command-api."
              },
              {
                "name": "time",
                "type": {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                },
                "doc": "Event time; with id it settles every conflict."
              },
              {
                "name": "actor",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "User id of who acted; null for the system."
              },
              {
                "name": "correlation",
                "type": "string",
                "personal": false,
                "doc": "W3C trace id of the request at the root."
              },
              {
                "name": "causation",
                "type": [
                  "null",
                  "string"
                ],
                "default": null,
                "personal": false,
                "doc": "Id of the event that caused this one, for reactors."
              }
            ]
          }
        },
        {
          "name": "letterId",
          "type": "string",
          "personal": false
        },
        {
          "name": "model",
          "type": "string",
          "personal": false
        },
        {
          "name": "topic",
          "type": "string",
          "personal": false
        },
        {
          "name": "partition",
          "type": "int"
        },
        {
          "name": "offset",
          "type": "long"
        },
        {
          "name": "reason",
          "type": [
            "null",
            "string"
          ],
          "default": null,
          "personal": false,
          "doc": "The operator's words; in clear and for ever, so nothing personal."
        }
      ]
    }
  },
} as const;
