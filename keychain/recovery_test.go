package keychain_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/keychain"
)

// way is a way to recover an account: how it is set up on a device of the account, and
// how a new device uses it.
type way struct {
	name  keychain.JoinWay
	setUp func(phone, helper *keychain.Device) (key any, err error)
	use   func(w *world, fresh, helper *keychain.Device, secret string, key any) error
}

func ways() []way {
	return []way{
		{keychain.ByCode, func(phone, _ *keychain.Device) (any, error) {
			return phone.NewRecoveryCode(ctx())
		}, func(_ *world, fresh, _ *keychain.Device, secret string, key any) error {
			return fresh.RecoverWithCode(ctx(), account, secret, strings.ToLower(key.(string)))
		}},
		{keychain.BySecretKey, func(phone, _ *keychain.Device) (any, error) {
			return phone.RenewSecretKey(ctx(), secret)
		}, func(_ *world, fresh, _ *keychain.Device, secret string, key any) error {
			return fresh.RecoverWithSecretKey(ctx(), account, secret, key.(string))
		}},
		{keychain.ByContact, func(phone, helper *keychain.Device) (any, error) {
			p, err := phone.NameContact(ctx(), "bob")
			if err != nil {
				return nil, err
			}
			return p, helper.KeepPacket(p)
		}, func(_ *world, fresh, helper *keychain.Device, secret string, key any) error {
			p, err := helper.Assist(account)
			if err != nil {
				return err
			}
			return fresh.RecoverWithContact(ctx(), account, secret, p)
		}},
		{keychain.ByGroup, func(phone, helper *keychain.Device) (any, error) {
			g, err := helper.MakeGroup(ctx())
			if err != nil {
				return nil, err
			}
			return g, phone.TrustGroup(ctx(), g)
		}, func(w *world, fresh, helper *keychain.Device, secret string, _ any) error {
			if err := helper.BeginGroupRecovery(ctx(), account); err != nil {
				return err
			}
			r, err := fresh.ConfirmGroupRecovery(ctx(), account, w.sent[len(w.sent)-1].Code, secret)
			if err != nil {
				return err
			}
			if err := helper.FinishGroupRecovery(ctx(), account, r.Code); err != nil {
				return err
			}
			return fresh.CompleteJoin(ctx())
		}},
	}
}

// helped returns an account with a credential and somebody else's device.
func helped(t testing.TB, cloud func(*world) keychain.Cloud) (w *world, phone, helper *keychain.Device) {
	w = newWorld(t, keychain.ServiceConfig{})
	phone, helper = w.founder("phone", cloud(w)), w.device("bobs phone", cloud(w))
	w.must(helper.CreateAccount(ctx(), "bob@example.com", "bob's secret"))
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone)
	return w, phone, helper
}

func direct(w *world) keychain.Cloud { return w.Service }

// TestWaysToRecover recovers in each way, in process and over HTTP, through a revocation
// that changes the domain key, and while the service sees nothing of what it must not.
func TestWaysToRecover(t *testing.T) {
	for _, way := range ways() {
		for _, how := range []string{"in process", "over HTTP"} {
			t.Run(string(way.name)+" "+how, func(t *testing.T) {
				spy := &spy{}
				w, phone, helper := helped(t, func(w *world) keychain.Cloud {
					spy.Cloud = w.Service
					if how == "over HTTP" {
						server := httptest.NewServer(keychain.Handler(w.Service))
						t.Cleanup(server.Close)
						spy.Cloud = keychain.Dial(server.URL)
					}
					return spy
				})
				key, err := way.setUp(phone, helper)
				w.must(err)
				other := w.device("other", spy)
				w.joins(other, phone)
				w.must(phone.Revoke(ctx(), "other")) // a new epoch: spare keys go along
				w.put(phone, "c2", "hidden.example", "ada")
				w.sync(phone)
				fresh := w.device("fresh", spy)
				w.must(way.use(w, fresh, helper, secret, key))
				w.sync(fresh)
				w.expect(fresh, "hidden.example", "[c2 ada true]")
				w.expect(helper, "hidden.example", "")

				snapshot, err := fresh.Snapshot()
				w.must(err)
				var seen []byte
				for _, c := range spy.calls {
					seen = append(append(seen, c.request...), c.response...)
				}
				for _, bare := range snapshot.Keys {
					absent(t, seen, "a domain key", bare)
				}
				switch k := key.(type) {
				case string:
					absent(t, seen, "what was written down", []byte(k))
					absent(t, seen, "what was written down, without dashes", []byte(strings.ReplaceAll(k, "-", "")))
				case keychain.Packet:
					absent(t, seen, "the contact's packet", k.Sealed)
					absent(t, seen, "the contact's token", k.Token)
				}
			})
		}
	}
}

// TestNothingAlone tries each way with one thing missing.
func TestNothingAlone(t *testing.T) {
	for _, way := range ways() {
		t.Run(string(way.name), func(t *testing.T) {
			w, phone, helper := helped(t, direct)
			stranger := w.device("stranger", nil)
			w.must(stranger.CreateAccount(ctx(), "eve@example.com", "eve's secret"))
			if way.name != keychain.BySecretKey { // the account has one from the beginning
				err := way.use(w, w.device("fresh", nil), stranger, secret, strings.Repeat("2", 28))
				w.refused(err, keychain.NoRecovery)
			}
			old, err := way.setUp(phone, helper)
			w.must(err)
			if way.name != keychain.ByGroup {
				w.refused(way.use(w, w.device("fresh", nil), helper, "another secret", old), keychain.WrongSecret)
				_, err := way.setUp(phone, stranger) // in place of the first
				w.must(err)
				w.refused(way.use(w, w.device("fresh", nil), helper, secret, old), keychain.WrongProof)
				return
			}
			w.must(helper.BeginGroupRecovery(ctx(), account))
			w.refused(helper.FinishGroupRecovery(ctx(), account, ""), keychain.NotConfirmed)
			_, err = w.device("fresh", nil).ConfirmGroupRecovery(ctx(), account, "1234567890123456789", "new")
			w.refused(err, keychain.NotConfirmed)
			token := w.sent[len(w.sent)-1].Code
			fresh := w.device("fresh", nil)
			r, err := fresh.ConfirmGroupRecovery(ctx(), account, token, "new")
			w.must(err)
			_, err = w.device("again", nil).ConfirmGroupRecovery(ctx(), account, token, "newer")
			w.refused(err, keychain.NotConfirmed)
			w.refused(helper.FinishGroupRecovery(ctx(), account, "AAAA-AAAA-AAAA"), keychain.CodeMismatch)
			w.refused(fresh.CompleteJoin(ctx()), keychain.NotApproved)
			w.must(helper.FinishGroupRecovery(ctx(), account, r.Code))
			w.must(fresh.CompleteJoin(ctx()))
			w.refused(helper.FinishGroupRecovery(ctx(), account, r.Code), keychain.NotConfirmed)
			_, err = w.device("old secret", nil).RequestJoin(ctx(), account, secret)
			w.refused(err, keychain.WrongSecret)
		})
	}
}

// TestPlantedSpareKey has the service name a spare key of its own among those of the
// account: no domain key is wrapped to it.
func TestPlantedSpareKey(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone := w.founder("phone", &liar{w.Service, keychain.OpMembers, func(m map[string]any) {
		mine := m["spares"].([]any)[0].(map[string]any)
		mine["publicKey"] = m["members"].([]any)[0].(map[string]any)["publicKey"]
	}})
	w.joins(w.device("laptop", nil), phone)
	w.refused(phone.Revoke(ctx(), "laptop"), keychain.Damaged)
}

// TestPowerCuts cuts the power of the service after every number of commits of a life
// with every way to recover. With the power back, what failed is done again.
func TestPowerCuts(t *testing.T) {
	for cut := 0; ; cut++ {
		store := &cutStore{keychain.NewMemoryStore(), 1 << 30}
		w := newWorld(t, keychain.ServiceConfig{Store: store})
		cloud := &restarting{w: w, store: store}
		phone, helper := w.founder("phone", cloud), w.device("helper", cloud)
		w.must(helper.CreateAccount(ctx(), "bob@example.com", "bob's secret"))
		w.put(phone, "c1", "example.com", "ada")
		w.sync(phone)
		store.left = cut
		current, cuts := secret, 0
		for _, way := range ways() {
			key, err := way.setUp(phone, helper)
			if errors.Is(err, keychain.StorageFailed) {
				cuts++
				key, err = way.setUp(phone, helper)
			}
			w.must(err)
			fresh := w.device("fresh", cloud)
			if err := way.use(w, fresh, helper, current, key); errors.Is(err, keychain.StorageFailed) {
				cuts++
				fresh = w.device("fresh again", cloud)
				w.must(way.use(w, fresh, helper, current, key))
			} else {
				w.must(err)
			}
			w.sync(fresh)
			w.expect(fresh, "example.com", "[c1 ada true]")
		}
		if cuts == 0 {
			if cut < 8 {
				t.Fatalf("only %d commits were cut", cut)
			}
			return
		}
	}
}

// restarting is a service that is started again from its store whenever that failed.
type restarting struct {
	w     *world
	store *cutStore
}

func (r *restarting) Call(ctx context.Context, op keychain.Operation, bearer, request []byte) ([]byte, error) {
	answer, err := r.w.Service.Call(ctx, op, bearer, request)
	if errors.Is(err, keychain.StorageFailed) {
		r.store.left = 1 << 30
		s, startErr := keychain.NewService(keychain.ServiceConfig{
			Provider: r.w.Provider(), Store: r.store, Now: r.w.clock, Rand: r.w.random,
			OnMessage: func(m keychain.Message) { r.w.sent = append(r.w.sent, m) },
		})
		if startErr != nil {
			return nil, startErr
		}
		r.w.Service = s
	}
	return answer, err
}

// TestWhoGetsIn draws what a device knows and demands that it becomes a member exactly
// when that is enough, whatever happened to the account before.
func TestWhoGetsIn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, keychain.ServiceConfig{})
		phone, helper := w.founder("phone", nil), w.device("bobs phone", nil)
		valid := map[keychain.JoinWay]any{}
		former := map[keychain.JoinWay][]any{}
		current, n := secret, 0
		set := func(i int) func(*rapid.T) {
			way := ways()[i]
			return func(rt *rapid.T) {
				key, err := way.setUp(phone, helper)
				if way.name == keychain.BySecretKey {
					key, err = phone.RenewSecretKey(ctx(), current)
				}
				check(rt, err)
				if old, ok := valid[way.name]; ok {
					former[way.name] = append(former[way.name], old)
				}
				valid[way.name] = key
			}
		}
		try := func(rt *rapid.T) {
			way := ways()[rapid.IntRange(0, 2).Draw(rt, "way")]
			said := rapid.SampledFrom([]string{current, "wrong"}).Draw(rt, "secret")
			key, has := valid[way.name]
			right := has && said == current
			if old := former[way.name]; len(old) > 0 && way.name != keychain.ByContact && rapid.Bool().Draw(rt, "former") {
				key, right = rapid.SampledFrom(old).Draw(rt, "key"), false
			}
			if key == nil {
				key = strings.Repeat("Z", 28)
			}
			n++
			fresh := w.device("fresh", nil)
			err := way.use(w, fresh, helper, said, key)
			if (err == nil) != right || fresh.Status().Joined != right {
				rt.Fatalf("%s: %v; should be let in: %v", way.name, err, right)
			}
			if right {
				check(rt, phone.Revoke(ctx(), fresh.Status().Member))
			}
		}
		change := func(rt *rapid.T) {
			current += " changed"
			check(rt, phone.ChangeSecret(ctx(), current))
			if valid[keychain.BySecretKey] != nil { // the key stays, bound to the new secret
				valid[keychain.BySecretKey] = phone.SecretKey()
			}
		}
		set(rapid.IntRange(0, 2).Draw(rt, "first"))(rt)
		for range rapid.IntRange(1, 5).Draw(rt, "steps") { // few, for each stretches passwords
			rapid.SampledFrom([]func(*rapid.T){set(0), set(1), set(2), change, try, try, try}).Draw(rt, "step")(rt)
		}
	})
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "apple")})
	phone := w.founder("phone", nil)
	ask := func(read func(context.Context) (string, error)) error {
		d := keychain.NewDevice("fresh", w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random, SecondFactor: read})
		_, err := d.RequestJoin(ctx(), account, secret)
		return err
	}
	w.refused(ask(nil), keychain.SecondFactor)
	w.refused(ask(func(context.Context) (string, error) { return "000000", nil }), keychain.SecondFactor)
	w.refused(ask(func(context.Context) (string, error) { w.now = w.now.Add(11 * time.Minute); return w.read(ctx()) }), keychain.SecondFactor)
	w.must(ask(w.read))
	if m := w.sent[len(w.sent)-1]; m.To != "telephone" || len(m.Code) != 6 || !strings.Contains(m.Text, m.Code) {
		t.Fatalf("sent %+v", m)
	}
	w.must(phone.ChangeSecret(ctx(), "another"))
	w.refused(ask(w.read), keychain.WrongSecret)
}

// TestNotices looks at what members hear, once each, and what the list says.
func TestNotices(t *testing.T) {
	store := keychain.NewMemoryStore()
	w := newWorld(t, keychain.ServiceConfig{Store: store})
	phone := w.founder("phone", nil)
	code, err := phone.NewRecoveryCode(ctx())
	w.must(err)
	w.must(w.device("fresh", nil).RecoverWithCode(ctx(), account, secret, code))
	w.refused(w.device("thief", nil).RecoverWithCode(ctx(), account, secret, "no"), keychain.WrongProof)
	w.must(phone.Revoke(ctx(), "fresh"))
	w.must(phone.ChangeSecret(ctx(), "another"))
	w2 := newWorld(t, keychain.ServiceConfig{Store: store})
	snapshot, err := phone.Snapshot()
	w.must(err)
	phone, err = keychain.RestoreDevice(snapshot, w2.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	var kinds []keychain.Kind
	notices, err := phone.Notices(ctx())
	w.must(err)
	for _, n := range notices {
		kinds = append(kinds, n.Kind)
	}
	want := []keychain.Kind{
		keychain.NoticeSetUp, keychain.NoticeSetUp, keychain.NoticeRecovery, keychain.NoticeJoined,
		keychain.NoticeWrong, keychain.NoticeRemoved, keychain.NoticeSecret,
	}
	if !slices.Equal(kinds, want) {
		t.Fatalf("told of %v, want %v", kinds, want)
	}
	if again, err := phone.Notices(ctx()); err != nil || len(again) != 0 {
		t.Fatalf("told again of %v, %v", again, err)
	}
	members, err := phone.Members(ctx())
	w.must(err)
	if members[1].Via != keychain.ByCode || members[1].Since.IsZero() {
		t.Fatalf("the list says %+v", members[1])
	}
}

// TestNoticesAreBounded fills the ring of notices and reads it again from the store.
func TestNoticesAreBounded(t *testing.T) {
	store := keychain.NewMemoryStore()
	w := newWorld(t, keychain.ServiceConfig{Store: store})
	phone := w.founder("phone", nil)
	g, err := phone.MakeGroup(ctx())
	w.must(err)
	for range 300 {
		w.must(phone.TrustGroup(ctx(), g))
	}
	again := newWorld(t, keychain.ServiceConfig{Store: store})
	snapshot, err := phone.Snapshot()
	w.must(err)
	d, err := keychain.RestoreDevice(snapshot, again.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	notices, err := d.Notices(ctx())
	w.must(err)
	if len(notices) != 256 || notices[255].Number != 301 {
		t.Fatalf("%d notices, the last %+v", len(notices), notices[len(notices)-1])
	}
}
