package reference

import (
	"context"
	"net/url"

	"fido-emu/rp"
)

func (c *remote) startRecovery(ctx context.Context, name string, ask rp.RecoveryAsk) (rp.RecoveryCase, error) {
	var began recoveryCaseJSON
	_, err := c.call(ctx, "POST", "/api/recovery/start", "", recoveryStartJSON{name, ask}, &began)
	return began.RecoveryCase, err
}

func (c *remote) recoveryStatus(ctx context.Context, id, secret string) (s rp.RecoveryStatus, err error) {
	_, err = c.call(ctx, "POST", "/api/recovery/status", "", recoverySecretJSON{id, secret}, &s)
	return s, err
}

func (c *remote) setIdentity(ctx context.Context, name string, id rp.Identity) error {
	_, err := c.call(ctx, "PUT", "/api/admin/people/"+url.PathEscape(name)+"/identity", "", id, nil)
	return err
}

func (c *remote) setRecoveryPolicy(ctx context.Context, policy rp.RecoveryPolicy) error {
	_, err := c.call(ctx, "PUT", "/api/admin/recovery", "", policy, nil)
	return err
}

func (c *remote) recoveryNotices(ctx context.Context, name string) ([]rp.RecoveryNotice, error) {
	var list noticesJSON
	_, err := c.call(ctx, "GET", "/api/admin/people/"+url.PathEscape(name)+"/recovered", "", nil, &list)
	return list.Notices, err
}

func (c *remote) recoveryLog(ctx context.Context, name string) ([]rp.RecoveryEvent, error) {
	var log recoveryLogJSON
	_, err := c.call(ctx, "GET", "/api/admin/recovery/log?person="+url.QueryEscape(name), "", nil, &log)
	return log.Events, err
}
