package settings

import (
	"errors"
	"flag"
	"time"

	"provision/internal/gimel/store"
)

// Redis says where it is.
type Redis struct {
	URL          string
	PasswordFile string
	CAFile       string
	Timeout      time.Duration
}

func (r *Redis) define(flags *flag.FlagSet) {
	flags.StringVar(&r.URL, "redis", "unix:///run/redis/redis-server.sock", "`URL`: unix://, redis://, rediss://, redis+sentinel://, redis+cluster://")
	flags.StringVar(&r.PasswordFile, "redis-password-file", "", "`FILE` with the password of Redis")
	flags.StringVar(&r.CAFile, "redis-ca-file", "", "PEM `FILE` to check the certificate of Redis with")
	positive(flags, &r.Timeout, "redis-timeout", 2*time.Second, "for a connection to Redis, and an answer")
}

func (r *Redis) check() error {
	_, err := store.Connect(store.Address{URL: r.URL, AuthorityFile: r.CAFile, Timeout: r.Timeout})
	return err
}

func counting(flags *flag.FlagSet, target *store.Counting) {
	*target = store.Exact
	flags.Func("counting", "`exact`, or hll: the original's HyperLogLog keys (default exact)", func(text string) error {
		*target = store.Counting(text)
		if *target != store.Exact && *target != store.HLL {
			return errors.New("neither exact nor hll")
		}
		return nil
	})
}
