-- Users who click now and then: a request each 50 to 150 ms.
function delay()
	return math.random(50, 150)
end

dofile((debug.getinfo(1, "S").source:sub(2):gsub("users.lua$", "wrk.lua")))
