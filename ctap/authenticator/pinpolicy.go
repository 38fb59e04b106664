package authenticator

// trivialPIN tells whether the PIN complexity policy (section 6.4, pinComplexityPolicy)
// refuses a PIN. What that policy is, the specification leaves to the vendor. Here it
// refuses three kinds, all counted in code points: a shorter piece repeated, one
// character among them (0000, 1212, abcabc); steps of one upwards (1234, abcd); and
// steps of one downwards (4321).
func trivialPIN(pin string) bool {
	points := []rune(pin)
	return repeats(points) || steps(points, 1) || steps(points, -1)
}

// repeats tells whether points are a shorter piece, two times or more.
func repeats(points []rune) bool {
	for piece := 1; piece <= len(points)/2; piece++ {
		if len(points)%piece == 0 && periodic(points, piece) {
			return true
		}
	}
	return false
}

func periodic(points []rune, piece int) bool {
	for i := piece; i < len(points); i++ {
		if points[i] != points[i-piece] {
			return false
		}
	}
	return true
}

func steps(points []rune, by rune) bool {
	for i := 1; i < len(points); i++ {
		if points[i] != points[i-1]+by {
			return false
		}
	}
	return true
}
