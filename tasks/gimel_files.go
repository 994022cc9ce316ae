package tasks

import (
	"path"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// gimelService is what the templates of the units are filled in with.
type gimelService struct {
	Trial       bool // a release on trial, beside the one that runs
	LocalRedis  bool
	Network     bool // it speaks to something beyond the host's sockets
	Credentials []credential
}

// credential is a secret that systemd hands to the service, and the variable in which
// gimel looks for its path.
type credential struct {
	Name, Path, Variable string
	given                string // the variable that it is only there with
}

// File is the name of its file.
func (c credential) File() string { return path.Base(c.Path) }

// given are the secrets that are there only where a variable gives them.
func (g gimel) given() (all []credential) {
	for _, one := range []credential{
		{"redis-password", gimelRedisKey, "GIMEL_REDIS_PASSWORD_FILE", "redis_password"},
		{"viewer-password", secretsDirectory + "/gimel-viewer-password", "GIMEL_VIEWER_PASSWORD_FILE", "viewer_password"},
		{"read-key", secretsDirectory + "/gimel-read-key", "GIMEL_READ_KEY_FILE", "read_key"},
		{"track-key", secretsDirectory + "/gimel-track-key", "GIMEL_TRACK_KEY_FILE", "track_key"},
		{"webhook", secretsDirectory + "/gimel-webhook", "GIMEL_WEBHOOK_FILE", "webhook"},
	} {
		if !g.Vars.Secret(one.given).Empty() && !(one.Path == gimelRedisKey && g.localRedis()) {
			all = append(all, one)
		}
	}
	return all
}

func (g gimel) unit() gimelService {
	unit := gimelService{
		LocalRedis: g.localRedis(), Network: !g.localRedis() || g.Vars.String("graphite") != "" || g.hasWebhook(),
		Credentials: []credential{
			{Name: "hash-key", Path: gimelHashKey, Variable: "GIMEL_HASH_KEY_FILE"},
			{Name: "api-key", Path: gimelAPIKey, Variable: "GIMEL_API_KEY_FILE"},
			{Name: "password", Path: gimelPassword, Variable: "GIMEL_PASSWORD_FILE"},
		},
	}
	if g.localRedis() {
		unit.Credentials = append(unit.Credentials, credential{Name: "redis-password", Path: redisGimelPassword, Variable: "GIMEL_REDIS_PASSWORD_FILE"})
	}
	unit.Credentials = append(unit.Credentials, g.given()...)
	if g.hasWebhook() {
		unit.Credentials = append(unit.Credentials, credential{Name: "webhook-secret", Path: gimelWebhookSecret, Variable: "GIMEL_WEBHOOK_SECRET_FILE"})
	}
	return unit
}

// gimelSettings is what the template of gimel's own configuration is filled in with.
type gimelSettings struct {
	Redis, RedisCAFile        string
	Counting                  string
	UndeclaredCap, CounterCap int
	MaxNameBytes              int
	TrackPaths                []string
	Queue, Batch              int
	Graphite, GraphitePrefix  string
	EventLog                  string // memory for it, or ""
}

func (g gimel) settings() gimelSettings {
	settings := gimelSettings{
		Redis: g.Vars.String("redis_url"), RedisCAFile: g.Vars.String("redis_ca_file"),
		Counting:      g.Vars.String("counting"),
		UndeclaredCap: g.Vars.Int("undeclared_cap"), CounterCap: g.Vars.Int("counter_cap"),
		MaxNameBytes: g.Vars.Int("max_name_bytes"), TrackPaths: g.Vars.List("track_paths"),
		Queue: g.Vars.Int("queue"), Batch: g.Vars.Int("batch"),
		Graphite: g.Vars.String("graphite"), GraphitePrefix: g.Vars.String("graphite_prefix"),
	}
	if g.logs() {
		settings.EventLog = g.Vars.String("event_log_memory")
	}
	return settings
}

// gimelSite is what nginx's template of the site is filled in with.
type gimelSite struct {
	Plain, Main      listener
	ServerNames      []string
	HTTP2On, HSTS    bool
	Certificate, Key string
	TrackPaths       []string
	RateLimit, Burst int
	LogVisitors      bool
}

// queueLength is how many events AlephBet keeps and sends again in one go.
const queueLength = 100

func (g gimel) site() gimelSite {
	ipv6 := g.Of("nginx").Bool("ipv6")
	site := gimelSite{
		// No default_server: graphite may be on the same host, and has it then. With
		// nobody having it, the only site of a port is its default.
		Plain: listener{80, "", ipv6}, Main: listener{443, " ssl", ipv6},
		ServerNames: g.Vars.List("server_names"),
		Certificate: g.certificate(), Key: g.Vars.String("tls_key"),
		TrackPaths: g.Vars.List("track_paths"), RateLimit: g.Vars.Int("rate_limit"),
		LogVisitors: g.Vars.Bool("log_visitors"),
		// A browser would not let anybody pass a self-signed certificate under HSTS.
		HSTS: !g.selfSigned(),
		// nginx 1.25.1 made HTTP/2 a directive of its own (see graphite's site).
		HTTP2On: g.System.Release >= trixie,
	}
	site.Burst = 2*queueLength + site.RateLimit
	if g.selfSigned() {
		site.Key = g.own().key()
	}
	if !site.HTTP2On {
		site.Main.Options = " ssl http2"
	}
	return site
}

func (g gimel) certificate() string {
	if g.selfSigned() {
		return g.own().certificate()
	}
	return g.Vars.String("tls_certificate")
}

// addSite adds nginx's configuration, the certificate and the site.
func (g gimel) addSite(r *recipe.Recipe) error {
	configuration, err := nginxConfiguration(g.Of("nginx"), g.System)
	if err != nil {
		return err
	}
	r.Include(configuration)
	if g.selfSigned() {
		r.Add(resource.Package{Name: "openssl", Brings: []recipe.Key{}})
		g.own().add(r)
	}
	site, err := nginxSite(gimelName, "gimel/nginx.conf.tmpl", g.site())
	if err != nil {
		return err
	}
	r.Include(site)
	return nil
}
