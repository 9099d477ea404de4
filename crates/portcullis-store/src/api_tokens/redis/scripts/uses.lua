-- Records uses that are later than what is known. KEYS: rows. ARGV: of each, the time and the line of the use.
for at, key in ipairs(KEYS) do
    local row = redis.call('GET', key)
    local first, use, rest = string.match(row or '', '^(1 %d+ %S+\n)([^\n]*)\n(.*)$')
    local known = first and tonumber(string.match(use, '^%d+') or '')
    if first and (not known or known < tonumber(ARGV[2 * at - 1])) then
        redis.call('SET', key, first .. ARGV[2 * at] .. '\n' .. rest)
    end
end
return 1
