package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Address says where Redis is and how to reach it.
type Address struct {
	// URL is one of
	//	unix:///run/redis/redis-server.sock
	//	redis://[USER@]HOST[:PORT][/DB]                       rediss:// with TLS
	//	redis+sentinel://[USER@]HOST:PORT[,HOST:PORT…]/MASTER[/DB]   rediss+sentinel://
	//	redis+cluster://[USER@]HOST:PORT[,HOST:PORT…]         rediss+cluster://
	// A password in it is refused.
	URL      string
	Password string
	// AuthorityFile is a PEM file that the certificate of Redis is checked
	// against; empty: the system's.
	AuthorityFile string
	// Timeout bounds a connection and an answer. An `appendfsync always` on a
	// slow disk needs more than a memory-only Redis.
	Timeout time.Duration
	// Once sends no command again by itself: a log that is read twice gives
	// other entries each time.
	Once bool
}

// ErrPasswordInURL is returned for a URL with a password: URLs end up in
// process lists and logs.
var ErrPasswordInURL = errors.New("a password belongs in a file, not in the URL")

// Connect makes a client. It does not dial yet.
func Connect(address Address) (redis.UniversalClient, error) {
	options, err := address.options()
	if err != nil {
		return nil, fmt.Errorf("redis URL: %w", err)
	}
	return redis.NewUniversalClient(options), nil
}

func (a Address) options() (*redis.UniversalOptions, error) {
	options := &redis.UniversalOptions{
		Password:              a.Password,
		DisableIdentity:       true,
		ContextTimeoutEnabled: true,
		// Every command of counting may be repeated without effect.
		MaxRetries:               1,
		DialerRetries:            1,
		DialTimeout:              a.Timeout,
		ReadTimeout:              a.Timeout,
		WriteTimeout:             a.Timeout,
		PoolTimeout:              a.Timeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.Once {
		options.MaxRetries = -1
	}
	scheme, rest, found := strings.Cut(a.URL, "://")
	if !found {
		return nil, errors.New("expected SCHEME://…")
	}
	kind, secure := strings.TrimPrefix(scheme, "rediss"), strings.HasPrefix(scheme, "rediss")
	if !secure {
		kind = strings.TrimPrefix(scheme, "redis")
	}
	if user, hosts, hasUser := strings.Cut(rest, "@"); hasUser {
		if strings.Contains(user, ":") {
			return nil, ErrPasswordInURL
		}
		name, err := url.PathUnescape(user)
		if err != nil {
			return nil, errors.New("user is not %-escaped properly")
		}
		options.Username, rest = name, hosts
	}
	if secure {
		config, err := a.tls()
		if err != nil {
			return nil, err
		}
		options.TLSConfig = config
	}
	return options, place(options, scheme, kind, rest)
}

// place fills in where: everything behind "scheme://user@".
func place(options *redis.UniversalOptions, scheme, kind, rest string) error {
	if scheme == "unix" {
		if !strings.HasPrefix(rest, "/") {
			return errors.New("unix:// needs an absolute path")
		}
		options.Addrs = []string{rest}
		return nil
	}
	hosts, path, _ := strings.Cut(rest, "/")
	var err error
	switch kind {
	case "":
		if options.Addrs, err = addresses(hosts, "6379"); err != nil {
			return err
		}
		if len(options.Addrs) != 1 {
			return errors.New("several hosts need redis+sentinel:// or redis+cluster://")
		}
		options.DB, err = database(path)
		return err
	case "+sentinel":
		master, db, _ := strings.Cut(path, "/")
		if master == "" {
			return errors.New("redis+sentinel:// needs /MASTER behind the hosts")
		}
		options.MasterName = master
		if options.DB, err = database(db); err != nil {
			return err
		}
		options.Addrs, err = addresses(hosts, "26379")
		return err
	case "+cluster":
		if path != "" {
			return errors.New("a cluster has no database number")
		}
		options.IsClusterMode = true
		options.Addrs, err = addresses(hosts, "6379")
		return err
	}
	return fmt.Errorf("unknown scheme %q", scheme)
}

func addresses(hosts, defaultPort string) ([]string, error) {
	var list []string
	for host := range strings.SplitSeq(hosts, ",") {
		if host == "" {
			return nil, errors.New("a host is missing")
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), defaultPort)
		}
		_, port, err := net.SplitHostPort(host)
		if number, numberErr := strconv.Atoi(port); err != nil || numberErr != nil || number < 1 || number > 65535 {
			return nil, fmt.Errorf("%q is no HOST:PORT", host)
		}
		list = append(list, host)
	}
	return list, nil
}

func database(path string) (int, error) {
	if path == "" {
		return 0, nil
	}
	number, err := strconv.Atoi(path)
	if err != nil || number < 0 {
		return 0, fmt.Errorf("%q is no database number", path)
	}
	return number, nil
}

func (a Address) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.AuthorityFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(a.AuthorityFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", a.AuthorityFile)
	}
	return config, nil
}
