/*
 * What both scripts below begin with: ARGV from `a` on is the count of entries and their (score, member), each once
 * however many timelines it goes to; `add` puts those of a JSON list of places into a timeline.
 */
const entriesScript = `
local entries = tonumber(ARGV[a])
local first = a + 1
a = first + 2 * entries
local function add(key, places)
  if places == '' then return end
  local batch, n = {}, 0
  for _, place in ipairs(cjson.decode(places)) do
    batch[n + 1] = ARGV[first + 2 * place]
    batch[n + 2] = ARGV[first + 2 * place + 1]
    n = n + 2
    if n == 1000 then redis.call('ZADD', key, unpack(batch, 1, n)); n = 0 end
  end
  if n > 0 then redis.call('ZADD', key, unpack(batch, 1, n)) end
end`;

const runId = `string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')`;

/* KEYS[2]: life. A Redis that was started again has what its disk had: what it was told last may be missing. */
const lifeScript = `
if redis.call('GET', KEYS[2]) ~= ${runId} then return redis.error_reply('EPOCH') end`;

/* KEYS: epoch, life, short, the fences. ARGV: epoch, count of fences, their generations. */
const guardScript = `${lifeScript}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('EPOCH') end
local fences = tonumber(ARGV[2])
for i = 1, fences do
  local held = redis.call('GET', KEYS[3 + i])
  if held and tonumber(held) > tonumber(ARGV[2 + i]) then return redis.error_reply('FENCED') end
end`;

/*
 * KEYS: epoch, life, short, the fences, then one timeline an edit. ARGV: epoch, count of fences, their generations, the
 * length kept, entries, then for each timeline: count and authors to drop, count and members to drop, places of entries
 * to add. Notes the readers whose full timeline lost something, in the same moment: what was cut off it before must come
 * back, also when whoever wrote this dies now.
 */
export const editScript = `${guardScript}
local length = tonumber(ARGV[3 + fences])
local a = 4 + fences
${entriesScript}
for k = 4 + fences, #KEYS do
  local key = KEYS[k]
  local authors = tonumber(ARGV[a]); a = a + 1
  local before = redis.call('ZCARD', key)
  local gone = 0
  if authors > 0 and before > 0 then
    local drop = {}
    for i = 0, authors - 1 do drop[ARGV[a + i]] = true end
    local members = redis.call('ZRANGE', key, 0, -1)
    for _, member in ipairs(members) do
      if drop[string.sub(member, 38)] then gone = gone + redis.call('ZREM', key, member) end
    end
  end
  a = a + authors
  local drops = tonumber(ARGV[a]); a = a + 1
  for i = 0, drops - 1 do gone = gone + redis.call('ZREM', key, ARGV[a + i]) end
  a = a + drops
  local places = ARGV[a]; a = a + 1
  add(key, places)
  if places ~= '' then
    local over = redis.call('ZCARD', key) - length
    if over > 0 then redis.call('ZREMRANGEBYRANK', key, 0, over - 1) end
  end
  if gone > 0 and before >= length then redis.call('SADD', KEYS[3], string.sub(key, -36)) end
end
return 1`;

/* KEYS: as of guardScript. ARGV: the same, then the readers who are not short any more. */
export const restoredScript = `${guardScript}
return redis.call('SREM', KEYS[3], unpack(ARGV, 3 + fences))`;

/* KEYS: fences. ARGV: generations. A generation never goes back. */
export const fenceScript = `
for i = 1, #KEYS do
  local held = redis.call('GET', KEYS[i])
  if not held or tonumber(held) < tonumber(ARGV[i]) then redis.call('SET', KEYS[i], ARGV[i]) end
end
return 1`;

/*
 * KEYS: remake, life, epoch, short. ARGV: token. From here on it counts what is lost. The epoch of before goes in the same
 * moment: a Redis that was started again still has it, and with its life it would be believed before it is made again.
 */
export const beginScript = `
redis.call('DEL', KEYS[3], KEYS[4])
redis.call('SET', KEYS[2], ${runId})
return redis.call('SET', KEYS[1], ARGV[1])`;

/* KEYS: remake, life, timelines. ARGV: token, entries, then for each timeline the places of its own. A later remake ends this one. */
export const replaceScript = `${lifeScript}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end
local a = 2
${entriesScript}
for k = 3, #KEYS do
  redis.call('DEL', KEYS[k])
  add(KEYS[k], ARGV[a]); a = a + 1
end
return 1`;

/* The same while the epoch stands. KEYS: epoch, life, timelines. ARGV: epoch, then as above. */
export const rewriteScript = replaceScript.replace('FENCED', 'EPOCH');

/* KEYS: remake, life, epoch. ARGV: token, epoch. */
export const finishScript = `${lifeScript}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end
redis.call('DEL', KEYS[1])
return redis.call('SET', KEYS[3], ARGV[2])`;
