package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// Config says how Chromium is started. All may be left out.
type Config struct {
	Path     string              // of the program; the first of chromium, chromium-browser and google-chrome
	Headful  bool                // with a window, which needs a display
	Getenv   func(string) string // os.Getenv when nil; DISPLAY and WAYLAND_DISPLAY are read
	Hosts    map[string]string   // address of hosts, such as shop.example to 127.0.0.1
	Only     []string            // beside Hosts, the only hosts that exist; loopback alone when empty
	Keys     []string            // SHA-256 of public keys, in base64, whose certificates are trusted
	Log      io.Writer           // what Chromium says
	StartFor time.Duration       // how long it may take to start; a minute when 0

	// RestPlain and RestTLS are addresses, such as 127.0.0.1:8443, where all other hosts
	// are: at port 80, and at others. They do not exist when empty.
	RestPlain, RestTLS string
}

// Browser is a running Chromium. Close it.
type Browser struct {
	root context.Context
	stop context.CancelFunc
	free context.CancelFunc
}

// ErrNoBrowser is that there is no Chromium on this computer.
var ErrNoBrowser = errors.New("there is no Chromium on this computer: install chromium (apt-get install chromium)")

// Find returns the path of Chromium, or [ErrNoBrowser].
func Find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser
}

// Start starts Chromium, with a profile that is removed when it is closed. It lives until
// then, or until ctx ends.
func Start(ctx context.Context, c Config) (*Browser, error) {
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	if c.Headful && c.Getenv("DISPLAY") == "" && c.Getenv("WAYLAND_DISPLAY") == "" {
		return nil, errors.New("a visible browser needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set: run it in a desktop session, under xvfb-run, or without --headful")
	}
	if c.Path == "" {
		path, err := Find()
		if err != nil {
			return nil, err
		}
		c.Path = path
	}
	allocator, free := chromedp.NewExecAllocator(ctx, c.options()...)
	root, stop := chromedp.NewContext(allocator, chromedp.WithErrorf(c.say), chromedp.WithLogf(c.say))
	b := &Browser{root: root, stop: stop, free: free}
	limit := c.StartFor
	if limit == 0 {
		limit = time.Minute
	}
	late := time.AfterFunc(limit, stop)
	err := chromedp.Do(root)
	if !late.Stop() && err == nil {
		err = fmt.Errorf("it did not start within %s", limit)
	}
	if err != nil {
		stop()
		free()
		return nil, fmt.Errorf("starting %s: %w", c.Path, err)
	}
	return b, nil
}

func (c Config) say(format string, args ...any) {
	if c.Log != nil {
		fmt.Fprintf(c.Log, format+"\n", args...)
	}
}

func (c Config) options() []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(c.Path), chromedp.DisableGPU, chromedp.WindowSize(1000, 800),
		chromedp.Flag("host-resolver-rules", c.resolver()), chromedp.Flag("no-proxy-server", true),
		// A click on a page that was not painted yet counts, as with drivers of browsers.
		chromedp.Flag("allow-pre-commit-input", true),
		// All frames of a page in one process: the shim reaches each of them.
		chromedp.Flag("disable-site-isolation-trials", true),
		chromedp.Flag("disable-features", "Translate,IsolateOrigins,site-per-process,OptimizationHints,MediaRouter,HttpsUpgrades,LocalNetworkAccessChecks"),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to have one as root
	}
	if len(c.Keys) > 0 {
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(c.Keys, ",")))
	}
	if c.Log != nil {
		options = append(options, chromedp.CombinedOutput(c.Log))
	}
	if c.Headful {
		return append(options, chromedp.VisibleWindow)
	}
	return append(options, chromedp.Flag("headless", "new"))
}

// resolver returns the rules by which hosts are found: those that are named, and
// loopback. All others are at the rest, or do not exist.
func (c Config) resolver() string {
	var rules, except []string
	for _, host := range slices.Sorted(maps.Keys(c.Hosts)) {
		rules = append(rules, "MAP "+host+" "+c.Hosts[host])
		except = append(except, "EXCLUDE "+c.Hosts[host])
	}
	for _, host := range append([]string{"localhost", "*.localhost", "127.0.0.1", "[::1]"}, c.Only...) {
		if _, mapped := c.Hosts[host+":*"]; !mapped {
			except = append(except, "EXCLUDE "+host)
		}
	}
	if c.RestTLS == "" {
		rules = append(rules, "MAP * ~NOTFOUND")
	} else {
		rules = append(rules, "MAP *:80 "+c.RestPlain, "MAP * "+c.RestTLS)
	}
	return strings.Join(append(rules, except...), ", ")
}

// Close ends Chromium and removes its profile.
func (b *Browser) Close() error {
	defer b.free()
	defer b.stop()
	ctx, cancel := context.WithTimeout(b.root, 10*time.Second)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, chromedp.ErrInvalidContext) {
		return fmt.Errorf("closing Chromium: %w", err)
	}
	return nil
}
