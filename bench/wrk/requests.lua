-- Requests of one shape, written out before the load begins so that making them costs nothing.
-- METHOD, SHAPE (a path) and BODY (or BODY_FILE, the name of a file) may hold `:id`, which becomes a fixed walk over
-- 1..100000. Where WRITE_METHOD, WRITE_SHAPE and WRITE_BODY are given, every twentieth request is of theirs. TOKENS (separated by blanks) take turns. HEADERS are lines of the form `Name: value`.
local method, shape = os.getenv("METHOD"), os.getenv("SHAPE")
local body = os.getenv("BODY")
local file = os.getenv("BODY_FILE")
if file then body = io.open(file):read("*a") end
local headers = {}
for name, value in string.gmatch(os.getenv("HEADERS") or "", "([^:\n]+): ([^\n]+)") do headers[name] = value end
local tokens = {}
for token in string.gmatch(os.getenv("TOKENS"), "%S+") do tokens[#tokens + 1] = token end

-- Large bodies are few, so that all of them fit into memory.
local requests, turn = {}, 0
local count = math.max(#tokens, math.min(20000, math.floor(64000000 / (1000 + #(body or "")))))
init = function()
  local id = 0
  for i = 1, count do
    local token = tokens[i % #tokens + 1]
    id = (id + 7919) % 100000
    headers["Authorization"] = "Bearer " .. token
    headers["apikey"] = token
    local with_id = function(text) return text and (string.gsub(text, ":id", tostring(id + 1))) end
    if os.getenv("WRITE_METHOD") and i % 20 == 0 then
      requests[i] = wrk.format(os.getenv("WRITE_METHOD"), with_id(os.getenv("WRITE_SHAPE")), headers, with_id(os.getenv("WRITE_BODY")))
    else
      requests[i] = wrk.format(method, with_id(shape), headers, with_id(body))
    end
  end
end

-- What is always the same is sent by wrk without asking, which leaves more of the machine to the servers.
local always = #tokens == 1 and not os.getenv("WRITE_METHOD") and not string.find(shape .. (body or ""), ":id", 1, true)
if always then
  wrk.method, wrk.body, wrk.headers = method, body, headers
  headers["Authorization"], headers["apikey"] = "Bearer " .. tokens[1], tokens[1]
  wrk.path = shape
else
  request = function()
    turn = turn % count + 1
    return requests[turn]
  end
end
