import type { Relation } from '../../schemas/visibility/visibility.ts';

/**
 * Who may see and do what, said a second time: by the name of every route and of every frame, for each way in which
 * somebody may stand to a person, and whether that person's account is public or private. complete.test.ts fails when
 * an endpoint has no row here, table.test.ts when one does not do what its row says.
 *
 * A cell is the status of an answer or the code of a refusal, and of a list whether it is `shown` there or `hidden`.
 */
export type Cells = Record<Relation, string>;

export interface Row {
  /** What is asked for, where a route may show several things of one person. */
  what: string;
  public: Cells;
  private: Cells;
}

/** Rows, or why a route shows and changes nothing of anybody but who asks. */
export type Rows = readonly Row[] | string;

const cells = (most: string, others: Partial<Cells> = {}): Cells => ({
  nobody: most,
  stranger: most,
  requested: most,
  follower: most,
  blocker: most,
  blocked: most,
  owner: most,
  ...others,
});

const row = (what: string, open: Cells, closed: Cells = open): Row[] => [
  { what, public: open, private: closed },
];

/** For people between whom one has blocked the other. */
const gone = (answer: string): Partial<Cells> => ({ blocker: answer, blocked: answer });
/** For whoever a private account has not let in. */
const outside = (answer: string): Partial<Cells> => ({ nobody: answer, stranger: answer, requested: answer });

const noToken = { nobody: 'token_missing' };
const noUser = gone('user_not_found');
const noPost = gone('post_not_found');

const profile = (what: string): Row[] => row(what, cells('200', noUser));
const onList = (what: string): Row[] => row(what, cells('shown', gone('hidden')));
const content = (what: string): Row[] =>
  row(what, cells('shown', noUser), cells('shown', { ...outside('hidden'), ...noUser }));
const post = (what: string, seen: string): Row[] =>
  row(what, cells(seen, noPost), cells(seen, { ...outside('post_not_found'), ...noPost }));
const media = (what: string, own: string): Row[] =>
  row(what, cells('media_not_found', { ...noToken, owner: own }));

/** What one person does to another, whoever may see what. */
const act = (what: string, done: string, self: string): Row[] =>
  row(what, cells(done, { ...noToken, ...noUser, owner: self }));

export const routes: Record<string, Rows> = {
  register: 'an account of one’s own; that a name is taken is told to everybody',
  login: 'a session of one’s own',
  refresh: 'a session of one’s own',
  readJwks: 'keys of the installation',
  readMe: 'one’s own profile',
  eraseAccount: 'one’s own account',
  editProfile: media('their picture as one’s own', '200'),
  readUser: profile('the profile'),
  searchUsers: onList('the person among those who are found'),
  followUser: row(
    'to follow',
    cells('200 following', { ...noToken, ...noUser, owner: 'self_follow' }),
    cells('200 requested', { ...noToken, ...noUser, follower: '200 following', owner: 'self_follow' }),
  ),
  unfollowUser: act('to follow no longer', '200', 'self_follow'),
  listFollowers: [...content('who follows them'), ...onList('the person among the followers of another')],
  listFollowing: [...content('whom they follow'), ...onList('the person among those whom another follows')],
  removeFollower: act('to take their follow away', '200', 'self_follow'),
  listFollowRequests: row('their request to whoever looks', {
    ...cells('shown', { ...noToken, ...gone('hidden') }),
    owner: 'hidden',
  }),
  approveFollowRequest: act('to let them in', '200', 'follow_request_not_found'),
  declineFollowRequest: act('not to let them in', '200', 'self_follow'),
  blockUser: row('to block', cells('200', { ...noToken, blocked: 'user_not_found', owner: 'self_block' })),
  unblockUser: row(
    'to block no longer',
    cells('200', { ...noToken, blocked: 'user_not_found', owner: 'self_block' }),
  ),
  listBlocks: row('the person among those whom one has blocked', {
    ...cells('hidden', { ...noToken, blocker: 'shown' }),
  }),
  publishPost: media('their picture in one’s own post', '201'),
  deletePost: row(
    'to delete a post',
    cells('not_allowed', { ...noToken, ...noPost, owner: '204' }),
    cells('post_not_found', { ...noToken, follower: 'not_allowed', owner: '204' }),
  ),
  readPost: post('a post', '200'),
  listUserPosts: content('the post among theirs'),
  listPostsByUserId: content('the post among theirs'),
  likePost: row(
    'to like a post',
    cells('200', { ...noToken, ...noPost }),
    cells('200', { ...outside('post_not_found'), ...noToken, ...noPost }),
  ),
  unlikePost: row('to take a like back', cells('200', { ...noToken, ...noPost })),
  listLikes: [
    ...post('who likes their post', 'shown'),
    ...onList('the person among those who like another’s'),
  ],
  readFeed: row('a post in the home feed', {
    ...cells('hidden', { ...noToken, follower: 'shown', owner: 'shown' }),
  }),
  requestUpload: 'an upload of one’s own',
  completeUpload: media('their upload', '202'),
  readMedia: media('the state of their upload', '200'),
  openStream: 'one’s own frames, for which there is the table below',
  readOpenapi: 'a document of the installation',
  readDocs: 'a document of the installation',
};

/** Frames that somebody was told as a follower, when they read them again. `owner`: there are none of one’s own acts. */
const told = (what: string): Row[] =>
  row(what, cells('shown', { ...noToken, ...gone('hidden'), owner: 'hidden' }));

export const frames: Record<string, Rows> = {
  'post.published': row(
    'that they have published',
    cells('shown', { ...noToken, ...gone('hidden'), owner: 'hidden' }),
    cells('hidden', { ...noToken, follower: 'shown' }),
  ),
  'post.liked': told('that they like one’s post'),
  'user.followed': told('that they follow one'),
  'follow.requested': told('that they ask to follow one'),
  'follow.approved': told('that they have let one in'),
  'media.ready': 'one’s own upload',
  'media.rejected': 'one’s own upload',
};
