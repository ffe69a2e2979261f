import { expect, it } from 'vitest';
import { pageJson, postJson } from '../../query-api/content/post.json.ts';
import { type Posts, presentPost } from '../../query-api/content/post.present.ts';

const [post, author, photo] = ['post', 'author', 'photo'];
const url = 'https://example.org';

/** Other rows each time, as another reading gives them. */
function hydrated({ caption = 'Hi', fullName = 'Ann', hideCounts = false, count = 3 } = {}): Posts {
  const row = {
    ...{ id: post, authorId: author, caption, mediaIds: [photo], location: null },
    ...{ isReel: false, hideCounts, commentsOff: false, live: true, visible: true },
    publishedAt: new Date(0),
  };
  const user = {
    ...{ id: author, username: 'ann', fullName, bio: '', website: null, avatarMediaId: null },
    ...{ live: true, privateSince: null },
  };
  const media = {
    ...{ id: photo, ownerId: author, state: 'ready' as const, reason: null, width: 1, height: 1 },
    ...{ placeholder: '', dominantColor: '', variants: [] },
  };
  return {
    posts: new Map([[post, row]]),
    users: new Map([[author, user]]),
    media: new Map([[photo, media]]),
    likes: new Map([[post, { count, byViewer: false }]]),
    ties: new Map(),
  };
}

function same(viewerId: string | null, posts: Posts): void {
  const page = pageJson([postJson(viewerId, post, posts, url)], null);
  const presented = JSON.stringify(presentPost(viewerId, post, posts, url));
  expect(JSON.parse(page.toString())).toEqual({ items: [JSON.parse(presented)], nextCursor: null });
}

it('the JSON of a post is what is presented, the first time and again', () => {
  const posts = hydrated();
  same('somebody', posts);
  same('somebody', posts);
  same(null, posts);
});

it('each viewer is told their own like, and a hidden count is told to the author alone', () => {
  const posts = hydrated({ hideCounts: true });
  same('somebody', posts);
  same(author, posts);
  posts.likes.set(post, { count: 4, byViewer: true });
  same('somebody', posts);
  same(author, posts);
});

it('another reading of the author or of a media beside the same post is written anew', () => {
  const posts = hydrated();
  same('somebody', posts);
  same('somebody', { ...posts, users: hydrated({ fullName: 'Anna' }).users });
  const media = hydrated().media;
  media.set(photo, { ...media.get(photo)!, width: 2 });
  same('somebody', { ...posts, media });
});

it('another reading of the post is written anew', () => {
  same('somebody', hydrated());
  same('somebody', hydrated({ caption: 'Ho' }));
});

it('a page is all of its posts, to the byte, whatever letters they are written in', () => {
  const captions = ['Füße', '夕方の光 🌇', '', 'n'];
  const posts = captions.map((caption) => hydrated({ caption }));
  const items = posts.map((each) => postJson('somebody', post, each, url));
  expect(JSON.parse(pageJson(items, 'b2s').toString())).toMatchObject({
    items: captions.map((caption) => ({ caption })),
    nextCursor: 'b2s',
  });
  expect(pageJson([], null).toString()).toBe('{"items":[],"nextCursor":null}');
});
