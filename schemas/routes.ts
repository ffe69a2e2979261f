import { login, readJwks, refresh, register } from './account/auth.http.ts';
import { editProfile, eraseAccount, readMe, readUser, searchUsers } from './account/user.http.ts';
import { readFeed } from './content/feed.http.ts';
import { likePost, listLikes, unlikePost } from './content/like.http.ts';
import { deletePost, listPostsByUserId, listUserPosts, publishPost, readPost } from './content/post.http.ts';
import { blockUser, listBlocks, unblockUser } from './graph/block.http.ts';
import {
  followUser,
  listFollowers,
  listFollowing,
  removeFollower,
  unfollowUser,
} from './graph/follow.http.ts';
import { approveFollowRequest, declineFollowRequest, listFollowRequests } from './graph/request.http.ts';
import { completeUpload, readMedia, requestUpload } from './media/media.http.ts';
import { openStream } from './notify/stream.http.ts';
import type { RouteContract } from './route.ts';
import { readDocs, readOpenapi } from './system.http.ts';

/** Every endpoint of the product: makes the OpenAPI document and the front door's table. */
export const allRoutes: readonly RouteContract[] = [
  register,
  login,
  refresh,
  readJwks,
  readMe,
  editProfile,
  eraseAccount,
  readUser,
  searchUsers,
  followUser,
  unfollowUser,
  listFollowers,
  listFollowing,
  removeFollower,
  listFollowRequests,
  approveFollowRequest,
  declineFollowRequest,
  blockUser,
  unblockUser,
  listBlocks,
  publishPost,
  deletePost,
  readPost,
  listUserPosts,
  listPostsByUserId,
  likePost,
  unlikePost,
  listLikes,
  readFeed,
  requestUpload,
  completeUpload,
  readMedia,
  openStream,
  readOpenapi,
  readDocs,
];
