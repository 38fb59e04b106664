//go:build race

package scenarios

// underRace tells of the race detector, under which pictures and signatures take ten
// times as long.
const underRace = true
