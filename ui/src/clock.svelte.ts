// The present instant, renewed each second for countdowns.

class Clock {
  nowMs = $state(Date.now())
}

export const clock = new Clock()
setInterval(() => {
  clock.nowMs = Date.now()
}, 1000)
