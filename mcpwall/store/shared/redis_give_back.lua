-- Take a booking out of each log that has it, as if it had never been; see redis_reserve.lua.
--
-- KEYS: the logs. ARGV: the call's id. Only the newest bookings are looked at: what is given back
-- was booked a moment ago.

local DIGITS, BASE = 7, 10000000
local LOOK = 10000

local function parts(number)
  local found = {}
  for last = #number, 1, -DIGITS do
    found[#found + 1] = tonumber(string.sub(number, math.max(1, last - DIGITS + 1), last))
  end
  return found
end

local function subtract(one, other) -- `one` is not the smaller
  local a, b, rest, borrow = parts(one), parts(other), {}, 0
  for i = 1, #a do
    local part = a[i] - (b[i] or 0) - borrow
    borrow = part < 0 and 1 or 0
    rest[i] = part + borrow * BASE
  end
  while #rest > 1 and rest[#rest] == 0 do
    rest[#rest] = nil
  end
  local text = { string.format('%d', rest[#rest]) }
  for i = #rest - 1, 1, -1 do
    text[#text + 1] = string.format('%07d', rest[i])
  end
  return table.concat(text)
end

for _, log in ipairs(KEYS) do
  local size = redis.call('ZCARD', log)
  for rank = size - 1, math.max(0, size - LOOK), -1 do
    local found = redis.call('ZRANGE', log, rank, rank)[1]
    local _, id, before, total = string.match(found, '^(%d+) (%S+) (%d+) (%d+)$')
    if id == ARGV[1] then
      local amount = subtract(total, before)
      local later = redis.call('ZRANGE', log, rank + 1, -1, 'WITHSCORES')
      redis.call('ZREM', log, found)
      for at = 1, #later, 2 do
        local tie, other, was_before, was_total =
          string.match(later[at], '^(%d+) (%S+) (%d+) (%d+)$')
        redis.call('ZREM', log, later[at])
        redis.call('ZADD', log, later[at + 1],
          string.format('%s %s %s %s', tie, other, subtract(was_before, amount), subtract(was_total, amount)))
      end
      break
    end
  end
end
