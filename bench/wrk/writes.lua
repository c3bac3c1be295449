-- Writes of one shape. METHOD, SHAPE (a path) and BODY may hold `:id`, which becomes a new number each time.
local method, shape, body = os.getenv("METHOD"), os.getenv("SHAPE"), os.getenv("BODY")
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("TOKENS"),
  ["apikey"] = os.getenv("TOKENS"),
  ["Content-Type"] = "application/json",
  ["Content-Profile"] = "public",
}
local prefer = os.getenv("PREFER")
if prefer and prefer ~= "" then headers["Prefer"] = prefer end

local requests, count, turn = {}, 20000, 0
init = function()
  for i = 1, count do
    local id = tostring((i * 7919) % 100000 + 1)
    requests[i] = wrk.format(method, (string.gsub(shape, ":id", id)), headers, (string.gsub(body, ":id", id)))
  end
end

request = function()
  turn = turn % count + 1
  return requests[turn]
end
