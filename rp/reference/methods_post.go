package reference

import (
	"fmt"
	"slices"
	"strconv"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// maxPost is how many messages are kept.
const maxPost = 10_000

// post doubles the phone network, the mailboxes and the app: it keeps what was
// sent, with who reads it. Core.mu guards it.
type post struct {
	sent    journal[rp.Message]
	pushes  map[string]push   // by message
	holders map[string]string // by address; the owner where there is none
}

// push is a request in the app that was sent.
type push struct {
	owner     *person
	challenge *methods.Challenge
}

// deliver sends the code of a challenge, or its request; the caller holds the lock.
func (c *Core) deliver(p *person, ch *methods.Challenge, from rp.Signals) {
	m := rp.Message{Kind: ch.Kind, Person: p.name, Address: ch.Address, Expires: ch.Expires}
	if ch.Kind == rp.Push {
		m.Text = c.config.Name + ": approve the sign-in?"
		if from.Location != "" {
			m.Text += " From " + from.Location + "."
		}
		if ch.Code != "" {
			m.Text += " Type the number that the page shows."
		}
	} else {
		m.Code = ch.Code
		m.Text = fmt.Sprintf("%s: your code is %s. Tell it to nobody.", c.config.Name, ch.Code)
	}
	id := c.mail(m)
	if ch.Kind == rp.Push {
		c.doors.post.pushes[id] = push{p, ch}
	}
}

// mail sends a message now to whoever holds its address, and returns its id; the caller
// holds the lock.
func (c *Core) mail(m rp.Message) (id string) {
	o := &c.doors.post
	m.ID, m.Sent = "m"+strconv.FormatUint(o.sent.last+1, 10), c.now()
	if m.Holder = o.holders[m.Address]; m.Holder == "" {
		m.Holder = rp.Owner
	}
	if len(o.sent.entries) == maxPost {
		delete(o.pushes, o.sent.entries[0].ID)
	}
	enter(c, &o.sent, inMessages, maxPost, m)
	return m.ID
}

// told are the events that an owner is told of, wherever there is an address, so
// that what somebody else did does not stay unseen.
func told(action string) string {
	return map[string]string{
		"issue-pass":     "A Temporary Access Pass was issued for your account.",
		"redeem-pass":    "Somebody signed in to your account with a Temporary Access Pass.",
		"register":       "A passkey was added to your account.",
		"enrol-method":   "A way to sign in was added to your account or changed.",
		"reset-password": "The password of your account was reset.",
	}[action]
}

// notify tells the owner of an account what happened to it; the caller holds the
// lock.
func (c *Core) notify(e Event) {
	text, p := told(e.Action), c.people[fold(e.Person)]
	if text == "" || p == nil || e.Outcome != Done {
		return
	}
	c.send(p, text)
}

// Outbox lists what was sent to a person, oldest first.
func (c *Core) Outbox(name string) ([]rp.Message, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.find(name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(append([]rp.Message{}, c.doors.post.sent.entries...), func(m rp.Message) bool { return m.Person != p.name }), nil
}

// AnswerPush answers a request in the app, as whoever holds the phone does:
// rp.Approve with the number that the page shows, rp.Deny or rp.Report. Reporting
// puts the account at high risk.
func (c *Core) AnswerPush(id, answer, number string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent, ok := c.doors.post.pushes[id]
	if !ok {
		return refuse(NotFound, "no request %q was sent to an app", id)
	}
	c.changedName(sent.owner.name)
	if err := c.accountOf(sent.owner).Answer(sent.challenge, answer, number, c.now()); err != nil {
		return err
	}
	c.note(Event{Action: "answer-push", Person: sent.owner.name, Method: rp.Push, Outcome: Done, Detail: answer})
	if answer == rp.Report {
		c.setRisk(sent.owner, rp.RiskHigh)
	}
	return nil
}

// HandOver says who holds a phone, an app or a mailbox from now on: rp.Owner or
// rp.Thief.
func (c *Core) HandOver(address, holder string) error {
	if holder != rp.Owner && holder != rp.Thief {
		return refuse(BadRequest, "%q holds no phone here: want %s or %s", holder, rp.Owner, rp.Thief)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doors.post.holders[address] = holder
	c.changed(inSettings, settingHolders)
	return nil
}
