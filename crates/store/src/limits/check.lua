-- One request: its nonce and all of its limits, all or nothing. The same arithmetic as misy_domain::limit::decide, which a
-- property test holds it to. All times are in microseconds and whole: doubles hold them exactly until the year 2255.
--
-- KEYS: one per limit, and the nonce last if there is one.
-- ARGV: the time, or 0 for the server's own (replicas' clocks do not count); how long the nonce is kept, in milliseconds,
--       or 0 without one; as how many requests it weighs; then per limit its interval and its requests.
-- Answers {0} or {0, limit nearest to being reached, remaining, reset}; {1, limit, retry after}; {2} for a nonce seen before.
--
-- Nothing that is stored is trusted. What no call of this script can have left (another type, no number, further ahead of
-- now than a burst) counts as a full burst, and is replaced at once, so that it hurts its own key and for that long only.
local now = tonumber(ARGV[1])
-- Times that a test gives are not the server's, which must not let a state go before its time.
local grace = 0
if now == 0 then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
    grace = 3600000
end

local function keep(key, ahead)
    local milliseconds = math.ceil(ahead / 1000) + grace
    redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', string.format('%.0f', milliseconds))
end

-- The state of a limit, and whether it had to be put right. No more is read than a number has digits.
local function arrival_of(key, burst)
    local text = redis.pcall('GETRANGE', key, 0, 31)
    if text == '' then
        return now, false
    end
    local arrival = type(text) == 'string' and string.match(text, '^-?%d+$') and tonumber(text)
    if not arrival or arrival > now + burst then
        return now + burst, true
    end
    return arrival, false
end

local kept_for, weight = tonumber(ARGV[2]), tonumber(ARGV[3])
local limits = #KEYS
if kept_for > 0 then
    limits = limits - 1
    if redis.call('EXISTS', KEYS[#KEYS]) == 1 then
        return { 2 }
    end
end
local states, nearest, least, reset = {}, 0, 0, 0
for at = 1, limits do
    local interval, requests = tonumber(ARGV[2 * at + 2]), tonumber(ARGV[2 * at + 3])
    local burst = interval * requests
    local arrival, put_right = arrival_of(KEYS[at], burst)
    local ahead = math.max(arrival, now) + interval * weight - now
    if ahead > burst then
        if put_right then
            keep(KEYS[at], burst)
        end
        return { 1, at, ahead - burst }
    end
    states[at] = ahead
    local remaining = math.floor((burst - ahead) / interval)
    if nearest == 0 or remaining < least then
        nearest, least, reset = at, remaining, ahead
    end
end
for at = 1, limits do
    keep(KEYS[at], states[at])
end
if kept_for > 0 then
    redis.call('SET', KEYS[#KEYS], '', 'PX', ARGV[2])
end
if nearest == 0 then
    return { 0 }
end
return { 0, nearest, least, reset }
