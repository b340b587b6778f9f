-- Book a call's amount in each of its logs if all have room; otherwise nothing.
--
-- A log is a sorted set of bookings. Scores are microseconds of this server's clock. A member is
-- "TIE ID BEFORE TOTAL": TOTAL is the sum of all amounts ever up to and including this one, BEFORE
-- without it, both in units of 10^-30; TIE orders what was booked in one microsecond. So the sum
-- of a window is the difference of two totals, whatever lies between.
--
-- KEYS: the record; then for each bound its log, and the note of the widest window asked of it.
-- ARGV: now ("" for this server's clock), the call's id, its entry, how many entries the record
-- keeps; then for each bound amount, maximum (units as above, no leading zeros) and window.
-- Returns for each bound how long until it has room, in microseconds; all 0: booked and entered.

local DIGITS, BASE = 7, 10000000 -- of one part of a number: sums of parts are exact in a double
local GRACE_MS = 60000 -- a log outlives its last booking's window by this

local function parts(number) -- least significant first
  local found = {}
  for last = #number, 1, -DIGITS do
    found[#found + 1] = tonumber(string.sub(number, math.max(1, last - DIGITS + 1), last))
  end
  return found
end

local function add(one, other)
  local a, b, sum, carry = parts(one), parts(other), {}, 0
  for i = 1, math.max(#a, #b) do
    local part = (a[i] or 0) + (b[i] or 0) + carry
    sum[i] = part % BASE
    carry = (part - sum[i]) / BASE
  end
  if carry > 0 then
    sum[#sum + 1] = carry
  end
  local text = { string.format('%d', sum[#sum]) }
  for i = #sum - 1, 1, -1 do
    text[#text + 1] = string.format('%07d', sum[i])
  end
  return table.concat(text)
end

local function less(one, other)
  if #one ~= #other then
    return #one < #other
  end
  local a, b = parts(one), parts(other)
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then
      return a[i] < b[i]
    end
  end
  return false
end

local function whole(number)
  return string.format('%.0f', number)
end

local function booking(log, rank)
  local found = redis.call('ZRANGE', log, rank, rank, 'WITHSCORES')
  local tie, _, before, total = string.match(found[1], '^(%d+) (%S+) (%d+) (%d+)$')
  return { at = tonumber(found[2]), tie = tonumber(tie), before = before, total = total }
end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local id, entry, kept = ARGV[2], ARGV[3], ARGV[4]
local bounds, waits, room = {}, {}, true

for i = 1, (#KEYS - 1) / 2 do
  local log, window = KEYS[2 * i], tonumber(ARGV[3 * i + 4])
  local amount, maximum = ARGV[3 * i + 2], ARGV[3 * i + 3]
  local size = redis.call('ZCARD', log)
  local newest = size > 0 and booking(log, size - 1) or { at = 0, tie = -1, total = '0' }
  local first = redis.call('ZCOUNT', log, '-inf', whole(now - window)) -- in the window
  local before = first < size and booking(log, first).before or newest.total
  local wanted = add(newest.total, amount)
  waits[i] = 0
  if less(add(before, maximum), wanted) then
    room = false
    local low, high = first, size - 1 -- the first booking whose end of window leaves room
    while low < high do
      local middle = math.floor((low + high) / 2)
      if less(add(booking(log, middle).total, maximum), wanted) then
        low = middle + 1
      else
        high = middle
      end
    end
    waits[i] = booking(log, low).at + window - now
  end
  bounds[i] = { log = log, noted = KEYS[2 * i + 1], window = window, newest = newest, total = wanted }
end
if not room then
  return waits
end

-- A server that is full refuses a script's first write alone, so this one comes first.
redis.call('XADD', KEYS[1], 'MAXLEN', '~', kept, '*', 'entry', entry)
for _, bound in ipairs(bounds) do
  local newest = bound.newest
  if bound.total ~= newest.total then -- nothing is booked for nothing
    local at, tie = now, 0
    if newest.at >= now then -- the same moment, or a clock that was set back
      at, tie = newest.at, newest.tie + 1
    end
    local widest = math.max(bound.window, tonumber(redis.call('GET', bound.noted) or 0))
    local lives = whole(math.ceil(widest / 1000) + GRACE_MS)
    redis.call('ZREMRANGEBYSCORE', bound.log, '-inf', whole(now - widest))
    local member = string.format('%09d %s %s %s', tie, id, newest.total, bound.total)
    redis.call('ZADD', bound.log, whole(at), member)
    redis.call('PEXPIRE', bound.log, lives)
    redis.call('SET', bound.noted, whole(widest), 'PX', lives)
  end
end
return waits
