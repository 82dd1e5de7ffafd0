"""The Lua scripts with which the Redis server reads and writes the read models."""

from hashlib import sha1

import msgspec


class Script(msgspec.Struct, frozen=True):
    """A script and its SHA-1, by which the server knows a script that it has run."""

    text: str
    sha: str


def _script(text: str) -> Script:
    # Redis names scripts by SHA-1; the hash protects nothing.
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


#: Each part: name, layout with a dash, generation ("" for the live one), commands.
#: Each answer: checkpoint (nil if there is no such generation), generation, replies.
#: LISTED and REFERRED are not commands of Redis. They are `ReadListed` and
#: `ReadReferred`, which first read where the rows are.
READ = _script("""
-- The next page of a collection in the direction of the read. The pages grow, because
-- most collections of a read have few entries or none.
local function refill(source, read)
  local verb, from, to = 'ZRANGEBYSCORE', read.low, read.high
  if read.down then verb, from, to = 'ZREVRANGEBYSCORE', read.high, read.low end
  source.page = redis.call(verb, source.key, from, to, 'WITHSCORES', 'LIMIT',
    source.offset, source.size)
  source.is_last = #source.page / 2 < source.size
  source.offset = source.offset + source.size
  source.size = math.min(source.size * 2, 500)
  source.at = 1
end

-- Move on to the next entry. Return whether there is one.
local function advance(source, read)
  if source.at > #source.page and not source.is_last then refill(source, read) end
  if source.at > #source.page then return false end
  source.member = source.page[source.at]
  source.score = tonumber(source.page[source.at + 1])
  source.at = source.at + 2
  return true
end

local function comes_first(one, other, down)
  if one.score ~= other.score then return (one.score > other.score) == down end
  return (one.member > other.member) == down
end

-- The sources in a heap, the one whose entry comes first at the top.
local function sink(heap, i, down)
  while true do
    local first = i
    for child = 2 * i, math.min(2 * i + 1, #heap) do
      if comes_first(heap[child], heap[first], down) then first = child end
    end
    if first == i then return end
    heap[i], heap[first], i = heap[first], heap[i], first
  end
end

local function is_allowed(member, allowed)
  local place = 0
  for word in string.gmatch(member, '%S+') do
    local words = allowed[place]
    if words and not words[word] then return false end
    place = place + 1
  end
  return true
end

local function listed(prefix, command)
  local _, rows, names, low, high, down, count, filters = unpack(command)
  local read = {low = low, high = high, down = down}
  local heap, allowed, keys = {}, nil, {}
  local size = math.max(10, math.min(500, math.ceil(count / #names)))
  for _, name in ipairs(names) do
    local source = {key = prefix .. name, offset = 0, size = size}
    refill(source, read)
    if advance(source, read) then heap[#heap + 1] = source end
  end
  for i = math.floor(#heap / 2), 1, -1 do sink(heap, i, down) end
  for i, words in ipairs(filters) do
    if #words > 0 then
      allowed = allowed or {}
      allowed[i] = {}
      for _, word in ipairs(words) do allowed[i][word] = true end
    end
  end
  while #keys < count and #heap > 0 do
    local source = heap[1]
    if not allowed or is_allowed(source.member, allowed) then
      keys[#keys + 1] = string.match(source.member, '%S+')
    end
    if not advance(source, read) then
      heap[1] = heap[#heap]
      heap[#heap] = nil
    end
    sink(heap, 1, down)
  end
  local reply = {}
  -- Lua unpacks fewer than 8,000 words at once.
  for start = 1, #keys, 4000 do
    local some = {unpack(keys, start, math.min(start + 3999, #keys))}
    for _, row in ipairs(redis.call('HMGET', prefix .. rows, unpack(some))) do
      reply[#reply + 1] = row
    end
  end
  return reply
end

local function referred(prefix, command)
  local _, rows, index, keys = unpack(command)
  local reply = {}
  for i, key in ipairs(redis.call('HMGET', prefix .. index, unpack(keys))) do
    reply[i] = key and (redis.call('HGET', prefix .. rows, key) or '')
  end
  return reply
end

local function carry_out(prefix, commands, answer)
  for j, command in ipairs(commands) do
    if command[1] == 'LISTED' then
      answer[j + 2] = listed(prefix, command)
    elseif command[1] == 'REFERRED' then
      answer[j + 2] = referred(prefix, command)
    else
      command[2] = prefix .. command[2]
      answer[j + 2] = redis.call(unpack(command))
    end
  end
end

local answers = {}
for i, part in ipairs(cmsgpack.unpack(ARGV[1])) do
  local name, layout, generation, commands = unpack(part)
  if generation == '' then
    generation = redis.call('HGET', 'bourse:alias', name) or ''
    if string.sub(generation, 1, #layout) ~= layout then generation = '' end
  end
  local prefix = 'bourse:' .. name .. ':' .. generation .. ':'
  local checkpoint = generation ~= '' and redis.call('GET', prefix .. 'checkpoint')
  local answer = {checkpoint, generation}
  if checkpoint then
    local done, reason = pcall(carry_out, prefix, commands, answer)
    if not done then
      if type(reason) == 'table' then reason = reason.err end
      if not string.find(tostring(reason), 'WRONGTYPE', 1, true) then
        return redis.error_reply(tostring(reason))
      end
      -- Somebody put a key of another type here. Without its checkpoint the generation
      -- is gone, and the runner fills another one.
      redis.call('DEL', prefix .. 'checkpoint')
      answer = {false, generation}
    end
  end
  answers[i] = answer
end
return answers
""")

#: Parts: name, generation, expected checkpoint ("" for none), new checkpoint, whether
#: the generation must be live, commands. Then messages: channel, body. Returns 1 or 0.
WRITE = _script("""
local parts, messages = unpack(cmsgpack.unpack(ARGV[1]))
for _, part in ipairs(parts) do
  local name, generation, expected, _, live = unpack(part)
  local prefix = 'bourse:' .. name .. ':' .. generation .. ':'
  local checkpoint = redis.call('GET', prefix .. 'checkpoint') or ''
  local is_live = redis.call('HGET', 'bourse:alias', name) == generation
  if checkpoint ~= expected or is_live ~= live then return 0 end
end
local is_touched
local function apply(part)
  local name, generation, expected, reached, _, commands = unpack(part)
  local prefix = 'bourse:' .. name .. ':' .. generation .. ':'
  is_touched = false
  if expected == '' then
    redis.call('SADD', 'bourse:' .. name .. ':generations', generation)
  end
  for _, command in ipairs(commands) do
    command[2] = prefix .. command[2]
    redis.call(unpack(command))
    is_touched = true
  end
  redis.call('SET', prefix .. 'checkpoint', reached)
end
for _, part in ipairs(parts) do
  local done, reason = pcall(apply, part)
  if not done then
    if type(reason) == 'table' then reason = reason.err end
    reason = tostring(reason)
    -- The parts before this one are whole, and those after it are as they were. This
    -- one may be in pieces, which must never be read or built on: without its
    -- checkpoint a generation is gone, and the runner fills another one. A full Redis
    -- refuses the first command already, so the part is as it was.
    if is_touched or not string.find(reason, 'OOM ', 1, true) then
      redis.call('DEL', 'bourse:' .. part[1] .. ':' .. part[2] .. ':checkpoint')
    end
    return redis.error_reply(reason)
  end
end
for _, message in ipairs(messages) do
  redis.call('PUBLISH', message[1], message[2])
end
return 1
""")

#: Name, generation.
RETIRE = _script("""
local name, generation = unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('HGET', 'bourse:alias', name) == generation then
  redis.call('HDEL', 'bourse:alias', name)
end
return 1
""")

#: Name, generation, its checkpoint, a channel and a message. Returns 1 or 0. Readers
#: must not go back in time, so a generation behind the live one is refused.
SWITCH = _script("""
local name, generation, expected, channel, message = unpack(cmsgpack.unpack(ARGV[1]))
local function checkpoint(of)
  return redis.call('GET', 'bourse:' .. name .. ':' .. of .. ':checkpoint')
end
if checkpoint(generation) ~= expected then return 0 end
local live = redis.call('HGET', 'bourse:alias', name)
local ahead = live and checkpoint(live)
if ahead and tonumber(ahead) > tonumber(expected) then return 0 end
redis.call('HSET', 'bourse:alias', name, generation)
redis.call('PUBLISH', channel, message)
return 1
""")
