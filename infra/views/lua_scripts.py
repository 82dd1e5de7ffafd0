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
READ = _script("""
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
    for j, command in ipairs(commands) do
      command[2] = prefix .. command[2]
      answer[j + 2] = redis.call(unpack(command))
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
local function apply(part)
  local name, generation, expected, reached, _, commands = unpack(part)
  local prefix = 'bourse:' .. name .. ':' .. generation .. ':'
  if expected == '' then
    redis.call('SADD', 'bourse:' .. name .. ':generations', generation)
  end
  for _, command in ipairs(commands) do
    command[2] = prefix .. command[2]
    redis.call(unpack(command))
  end
  redis.call('SET', prefix .. 'checkpoint', reached)
end
for _, part in ipairs(parts) do
  local done, reason = pcall(apply, part)
  if not done then
    -- A write in pieces must never be read or built on: without its checkpoint a
    -- generation is gone, and the runner fills another one.
    for _, each in ipairs(parts) do
      redis.call('DEL', 'bourse:' .. each[1] .. ':' .. each[2] .. ':checkpoint')
    end
    if type(reason) == 'table' then reason = reason.err end
    return redis.error_reply(tostring(reason))
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
