package audit

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// through makes an attack on either ceremony.
func through(k kind, how bend) func(*bench) finding {
	if k == registering {
		return registration(how)
	}
	return signingIn(how)
}

// What attackers gain by client data that nobody looks at.
const (
	gainsPhishing  = "a look-alike site relays the ceremony: what passkeys promise against phishing does not hold"
	gainsReplay    = "a response that was seen once is good again"
	gainsConfusion = "a response to one question answers another"
	gainsForm      = "nothing by itself: more is read than the standard has, which other defects can build on"
)

// clientDataAttacks are those on client data (section 5.8.1), which both ceremonies
// have.
func clientDataAttacks(k kind) []Attack {
	at := func(name, title string, step int, s Severity, gains string, how bend) Attack {
		return Attack{ID: string(k) + "." + name, Group: string(k) + ": client data", Title: title,
			Section: k.section(), Step: k.step(step), Severity: s, Gains: gains, run: through(k, how)}
	}
	says := func(name string, value any) bend {
		return bend{claims: func(d *draft) { d.client = d.client.set(name, value) }}
	}
	all := []Attack{
		at("type.other", "client data has the type of the other ceremony", 7, High, gainsConfusion, says("type", other(k).clientType())),
		at("type.payment", "client data has the type payment.get", 7, High, gainsConfusion, says("type", "payment.get")),
		at("type.case", "the type is in capitals", 7, Low, gainsForm, says("type", strings.ToUpper(k.clientType()))),
		at("type.missing", "client data has no type", 7, High, gainsConfusion, bend{claims: func(d *draft) { d.client = d.client.without("type") }}),
		at("type.array", "the type is an array of one string", 6, Low, gainsForm, says("type", []string{k.clientType()})),
		at("challenge.made-up", "the challenge is one that nobody gave out", 8, Critical, gainsReplay, says("challenge", b64(make([]byte, 32)))),
		at("challenge.flipped", "one bit of the challenge is flipped", 8, Critical, gainsReplay, challenge(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })),
		at("challenge.truncated", "the second half of the challenge is missing", 8, High, "half of the randomness is to be guessed; a comparison by prefix", challenge(func(b []byte) []byte { return b[:len(b)/2/3*3] })),
		at("challenge.longer", "a byte follows the challenge", 8, Medium, "a comparison by prefix", challenge(func(b []byte) []byte { return append(b, 0) })),
		at("challenge.empty", "the challenge is empty", 8, Critical, gainsReplay, says("challenge", "")),
		at("challenge.missing", "client data has no challenge", 8, Critical, gainsReplay, bend{claims: func(d *draft) { d.client = d.client.without("challenge") }}),
		at("challenge.null", "the challenge is null", 8, Critical, gainsReplay, says("challenge", nil)),
		at("challenge.encoding", "the challenge is in base64 with padding, not base64url", 8, Low, gainsForm, bend{claims: func(d *draft) {
			d.client = d.client.set("challenge", base64.StdEncoding.EncodeToString(unb64(d.asked.Challenge)))
		}}),
		at("challenge.hex", "the challenge is in hexadecimal", 8, Low, gainsForm, bend{claims: func(d *draft) {
			d.client = d.client.set("challenge", hexadecimal(unb64(d.asked.Challenge)))
		}}),
		at("cross-origin", "the ceremony ran in a frame of another origin", 10, Medium, "a page that frames the site has its users sign in unawares (clickjacking)", says("crossOrigin", true)),
		at("cross-origin.text", "crossOrigin is the text \"true\"", 6, Low, gainsForm, says("crossOrigin", "true")),
		at("top-origin", "the ceremony ran in a frame of a page of another origin, which is named", 11, Medium, "a page that frames the site has its users sign in unawares (clickjacking)", bend{claims: func(d *draft) {
			d.client = d.client.set("crossOrigin", true).set("topOrigin", "https://evil.example")
		}}),
		at("top-origin.alone", "a top origin is named, but no frame", 11, Low, gainsForm, says("topOrigin", "https://evil.example")),
	}
	for i := range all {
		if strings.HasSuffix(all[i].ID, ".challenge.encoding") {
			all[i].run = untilItTells(all[i].run)
		}
	}
	return append(append(all, originAttacks(k, at)...), jsonAttacks(k, at)...)
}

// untilItTells makes the attack on the challenge's encoding again while it was accepted
// with a challenge that both alphabets of base64 write alike, as one in four is.
func untilItTells(run func(*bench) finding) func(*bench) finding {
	return func(b *bench) (f finding) {
		for range 10 {
			f = run(b)
			var sent struct{ Challenge string }
			if f.verdict != Accepted || len(f.exchanges) == 0 || json.Unmarshal([]byte(f.exchanges[0].ClientData), &sent) != nil || strings.ContainsAny(sent.Challenge, "+/") {
				return f
			}
		}
		return f
	}
}

func other(k kind) kind {
	if k == registering {
		return authenticating
	}
	return registering
}

func challenge(change func([]byte) []byte) bend {
	return bend{claims: func(d *draft) { d.client = d.client.set("challenge", b64(change(unb64(d.asked.Challenge)))) }}
}

func hexadecimal(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

type maker func(name, title string, step int, s Severity, gains string, how bend) Attack

// originAttacks are those on the origin, from which a look-alike must be told.
func originAttacks(k kind, at maker) []Attack {
	origin := func(name, title string, s Severity, change func(u *url.URL, d *draft) any) Attack {
		return at("origin."+name, title, 9, s, gainsPhishing, bend{claims: func(d *draft) {
			u, err := url.Parse(d.origin)
			if err != nil {
				u = &url.URL{Scheme: "https", Host: d.asked.RPID}
			}
			d.client = d.client.set("origin", change(u, d))
		}})
	}
	host := func(name, title string, s Severity, change func(host string) string) Attack {
		return origin(name, title, s, func(u *url.URL, _ *draft) any {
			h := change(u.Hostname())
			if p := u.Port(); p != "" {
				h += ":" + p
			}
			return u.Scheme + "://" + h
		})
	}
	same := "it names the same origin: browsers write origins in one form only, so that nobody else's page can have this one"
	all := []Attack{
		origin("other", "the origin is another site", Critical, func(*url.URL, *draft) any { return "https://evil.example" }),
		origin("scheme", "the scheme is another", High, func(u *url.URL, _ *draft) any {
			if u.Scheme == "https" {
				return "http://" + u.Host
			}
			return "https://" + u.Host
		}),
		origin("port", "the port is another", High, func(u *url.URL, _ *draft) any { return u.Scheme + "://" + u.Hostname() + ":4443" }),
		host("subdomain", "the origin is a subdomain of ours", Medium, func(h string) string { return "sub." + h }),
		host("prefix", "the origin begins like ours: ours is a label of it", High, func(h string) string { return h + ".evil.example" }),
		origin("prefix.text", "the text of the origin begins with ours", High, func(_ *url.URL, d *draft) any { return d.origin + ".evil.example" }),
		host("suffix", "the origin ends like ours: evil stands before it, without a dot", High, func(h string) string { return "evil" + h }),
		origin("user-info", "ours stands as user name before another host", High, func(u *url.URL, _ *draft) any { return u.Scheme + "://" + u.Host + "@evil.example" }),
		origin("path", "ours stands in the path of another origin", High, func(_ *url.URL, d *draft) any { return "https://evil.example/" + d.origin }),
		origin("query", "ours stands in the query of another origin", High, func(_ *url.URL, d *draft) any { return "https://evil.example/?" + d.origin }),
		origin("null", "the origin is null, as of a sandboxed frame", High, func(*url.URL, *draft) any { return "null" }),
		origin("json-null", "the origin is null, not a string", High, func(*url.URL, *draft) any { return nil }),
		origin("empty", "the origin is empty", High, func(*url.URL, *draft) any { return "" }),
		origin("array", "the origin is an array that holds ours", Low, func(_ *url.URL, d *draft) any { return []string{d.origin} }),
		host("trailing-dot", "a dot follows the host, which makes it another origin", Low, func(h string) string { return h + "." }),
		host("homograph", "a letter of the host is a Cyrillic one that looks the same", High, homograph),
		origin("native", "the origin is that of an Android app", High, func(*url.URL, *draft) any {
			return "android:apk-key-hash:" + b64(make([]byte, 32))
		}),
		at("origin.missing", "client data has no origin", 9, High, gainsPhishing, bend{claims: func(d *draft) { d.client = d.client.without("origin") }}),
	}
	tolerated := []Attack{
		origin("case", "the origin is in capitals", Low, func(_ *url.URL, d *draft) any { return strings.ToUpper(d.origin) }),
		origin("slash", "a slash follows the origin", Low, func(_ *url.URL, d *draft) any { return d.origin + "/" }),
	}
	for i := range tolerated {
		tolerated[i].Tolerated = same
	}
	return append(all, tolerated...)
}

func homograph(h string) string {
	for latin, cyrillic := range map[string]string{"o": "о"} {
		h = strings.Replace(h, latin, cyrillic, 1)
	}
	return h
}

// jsonAttacks are those on the JSON text of client data. Responses stay signed over
// the bytes as they are sent.
func jsonAttacks(k kind, at maker) []Attack {
	text := func(name, title string, step int, s Severity, gains string, change func(d *draft) []byte) Attack {
		return at("json."+name, title, step, s, gains, bend{bytes: func(d *draft) { d.clientJSON = change(d) }})
	}
	twice := func(d *draft, name, value string) []byte {
		return append([]byte("{\""+name+"\":\""+value+"\","), d.clientJSON[1:]...)
	}
	// encoding/json and JSON.parse take the last of two members: honest goes last.
	confused := "two readers of the same client data see two different values"
	members := "the standard asks for JSON and no more, and JSON leaves to readers what two members of one name mean (RFC 8259, section 4); the value that was read is the honest one"
	all := []Attack{
		text("duplicate-origin", "there are two origins, ours last", 6, Low, confused, func(d *draft) []byte { return twice(d, "origin", "https://evil.example") }),
		text("duplicate-challenge", "there are two challenges, the right one last", 6, Low, confused, func(d *draft) []byte { return twice(d, "challenge", b64(make([]byte, 32))) }),
		text("duplicate-type", "there are two types, the right one last", 6, Low, confused, func(d *draft) []byte { return twice(d, "type", other(k).clientType()) }),
	}
	for i := range all {
		all[i].Tolerated = members
	}
	all = append(all,
		text("not-json", "client data is not JSON", 6, High, gainsForm, func(*draft) []byte { return []byte("not JSON") }),
		text("empty", "client data is empty", 6, High, gainsForm, func(*draft) []byte { return nil }),
		text("array", "client data is an array that holds the object", 6, Low, gainsForm, func(d *draft) []byte { return append(append([]byte{'['}, d.clientJSON...), ']') }),
		text("string", "client data is a JSON string that holds the object", 6, Low, gainsForm, func(d *draft) []byte {
			b, err := plainJSON(string(d.clientJSON))
			if err != nil {
				return nil
			}
			return b
		}),
		text("left-over", "something follows the JSON object", 6, Low, gainsForm, func(d *draft) []byte { return append(d.clientJSON, "{}"...) }),
		text("cut-short", "the closing brace is missing", 6, Low, gainsForm, func(d *draft) []byte { return d.clientJSON[:len(d.clientJSON)-1] }),
		text("utf16", "client data is UTF-16", 5, Low, gainsForm, func(d *draft) []byte { return utf16(d.clientJSON) }),
		text("names-case", "the names of the members are in capitals", 7, Low, gainsForm, func(d *draft) []byte {
			s := string(d.clientJSON)
			for _, name := range []string{"type", "challenge", "origin"} {
				s = strings.Replace(s, `"`+name+`":`, `"`+strings.ToUpper(name)+`":`, 1)
			}
			return []byte(s)
		}),
	)
	invalid := text("not-utf8", "a further member holds bytes that are not UTF-8", 5, Low, gainsForm, func(d *draft) []byte {
		return append(d.clientJSON[:len(d.clientJSON)-1], ",\"note\":\"\xff\xfe\"}"...)
	})
	invalid.Tolerated = "step " + stepText(k, 5) + " runs UTF-8 decode, which puts U+FFFD in the place of what is not UTF-8 and does not fail"
	mark := text("bom", "a byte order mark stands before client data", 5, Low, gainsForm, func(d *draft) []byte { return append([]byte("\uFEFF"), d.clientJSON...) })
	mark.Tolerated = "step " + stepText(k, 5) + " runs UTF-8 decode, which takes a byte order mark away: to accept is what is asked for"
	return append(all, invalid, mark)
}

func stepText(k kind, registration int) string {
	return (Attack{Section: k.section(), Step: k.step(registration)}).Rule()[len("7.1 step "):]
}

func utf16(b []byte) []byte {
	wide := []byte{0xFE, 0xFF}
	for _, c := range b {
		wide = append(wide, 0, c)
	}
	return wide
}
