package tasks

import (
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

const (
	gimelName     = "gimel" // of the account, the site and the folder of the configuration
	gimelUnit     = "gimel.service"
	gimelSocket   = "gimel.socket"
	gimelHome     = "/opt/gimel"
	gimelReleases = gimelHome + "/releases"
	gimelCurrent  = gimelHome + "/current"

	gimelPassword = secretsDirectory + "/gimel-password"
	gimelAPIKey   = secretsDirectory + "/gimel-api-key"
	gimelHashKey  = secretsDirectory + "/gimel-hash-key"
	gimelRedisKey = secretsDirectory + "/gimel-redis" // of a Redis elsewhere

	gimelWebhookSecret = secretsDirectory + "/gimel-webhook-secret"
)

// Gimel is the A/B testing backend: Redis, the server and nginx on one host.
func Gimel() recipe.Task {
	return recipe.Task{
		Name:    gimelName,
		Summary: "A/B testing backend for pages with AlephBet: gimel, Redis and nginx",
		About: "Runs gimel behind nginx with HTTPS, on a Redis of its own. It is deployed: provision deploy gimel brings what it stands on and a release, starts that beside the one that " +
			"runs, and switches to it only when it answers; no request is refused meanwhile, and a release that fails is taken back by itself. provision install gimel " +
			"brings configuration to what it should be and leaves the release alone; on a host without one nothing of gimel is started. Pages send events to /track or /choice; " +
			"the dashboard asks for a password, which is made on the host.",
		Uses:      []string{"nginx", "redis"},
		Variables: gimelVariables(),
		Check:     checkGimel,
		Build:     buildGimel,
		Verify:    verifyGimel,
		Deployed:  &recipe.Deployed{Releases: gimelReleases, Current: gimelCurrent, Source: "./cmd/gimel", Binary: "gimel"},
		After:     afterGimel,
	}
}

func checkGimel(vars recipe.Values) (string, error) {
	if name, err := checkCertificate(gimelName)(vars); err != nil {
		return name, err
	}
	return checkEventLog(vars)
}

// gimel is what the parts of the recipe are made from.
type gimel struct{ recipe.Input }

func (g gimel) selfSigned() bool { return g.Vars.String("tls") == "self-signed" }
func (g gimel) localRedis() bool { return isLocalRedis(g.Vars.String("redis_url")) }
func (g gimel) keep() int        { return g.Vars.Int("keep_releases") }

func (g gimel) hasWebhook() bool { return !g.Vars.Secret("webhook").Empty() }

// asksByTLS is whether gimel is a client of somebody whose certificate the system's authorities vouch for.
func (g gimel) asksByTLS() bool {
	redis := strings.HasPrefix(g.Vars.String("redis_url"), "rediss") && g.Vars.String("redis_ca_file") == ""
	return redis || g.eventLog() == eventLogBigQuery || strings.HasPrefix(g.Vars.Secret("webhook").Reveal(), "https:")
}

func (g gimel) own() selfSigned {
	return selfSigned{Task: gimelName, Names: g.Vars.List("server_names")}
}

// buildGimel goes from what is certain to what depends on it. The release comes before the
// configuration, and its link stands beside that: what is new of both is tried together,
// before either goes live.
func buildGimel(in recipe.Input) (recipe.Recipe, error) {
	g := gimel{in}
	var r recipe.Recipe
	if g.localRedis() {
		if err := addRedisConfiguration(&r, g.Of("redis")); err != nil {
			return recipe.Recipe{}, err
		}
	}
	g.addAccount(&r)
	if err := g.addSite(&r); err != nil {
		return recipe.Recipe{}, err
	}
	if err := g.addRelease(&r); err != nil {
		return recipe.Recipe{}, err
	}
	if err := g.addConfiguration(&r); err != nil {
		return recipe.Recipe{}, err
	}
	g.addPackages(&r)
	return r, g.addServices(&r)
}

// addAccount adds the account, its directories and its secrets.
func (g gimel) addAccount(r *recipe.Recipe) {
	r.Add(resource.User{Name: gimelName})
	r.Add(resource.Directory{Path: "/etc/gimel"})
	g.releases().AddDirectories(r)
	if g.localRedis() { // which has added the directory, and reads this too
		r.Add(resource.Secret{Path: redisGimelPassword}, g.restarts()...)
	} else {
		addSecretsDirectory(r)
	}
	g.addSecret(r, gimelAPIKey, "api_key", 40)
	g.addSecret(r, gimelHashKey, "hash_key", 40)
	g.addSecret(r, gimelPassword, "password", 24)
	for _, one := range g.given() {
		g.addSecret(r, one.Path, one.given, 0)
	}
	if g.hasWebhook() {
		g.addSecret(r, gimelWebhookSecret, "webhook_secret", 40)
	}
}

// addSecret adds a secret that is given by a variable, or made on the host.
func (g gimel) addSecret(r *recipe.Recipe, file, variable string, length int) {
	given := g.Vars.Secret(variable)
	if given.Empty() {
		r.Add(resource.Secret{Path: file, Length: length}, g.restarts()...)
		return
	}
	r.Add(resource.File{
		Path: file, Content: given.Reveal(), Secret: true, Attributes: recipe.Attributes{Mode: 0o600},
	}, g.restarts()...)
}

func (g gimel) releases() resource.Releases {
	return resource.Releases{Task: gimelName, Home: gimelHome, File: "gimel", Keep: g.keep()}
}

// addRelease brings the release's binary, and makes room for it.
func (g gimel) addRelease(r *recipe.Recipe) error {
	if g.Release == nil {
		return nil
	}
	return g.releases().Add(r, *g.Release, g.System.Arch)
}

// addConfiguration adds what gimel and systemd read, and the link to the release.
func (g gimel) addConfiguration(r *recipe.Recipe) error {
	unit := g.unit()
	trial := unit
	trial.Trial = true
	err := addFiles(r, []filePart{
		{path: "/etc/systemd/system/" + gimelSocket, template: "gimel/gimel.socket.tmpl"},
		{path: "/etc/systemd/system/" + gimelUnit, template: "gimel/gimel.service.tmpl", data: unit, notifies: restart(gimelUnit)},
		// In a directory of its own, where a rehearsal sees it before systemd does.
		{path: "/etc/gimel/trial.service", template: "gimel/gimel.service.tmpl", data: trial, notifies: restart(gimelUnit)},
		{path: "/etc/gimel/gimel.conf", template: "gimel/gimel.conf.tmpl", data: g.settings(), notifies: restart(gimelUnit)},
	})
	if err == nil {
		err = g.addEventLogConfiguration(r)
	}
	if err != nil || g.Release == nil {
		return err
	}
	r.Add(g.releases().Link(*g.Release), g.restarts()...)
	return nil
}

// addPackages adds all packages in a row, which makes them one apt-get.
func (g gimel) addPackages(r *recipe.Recipe) {
	if g.localRedis() {
		addRedisPackage(r)
	}
	if g.eventLog() == eventLogPostgreSQL {
		r.Add(postgresqlPackage())
	}
	if g.asksByTLS() {
		r.Add(authoritiesPackage())
	}
	r.Include(nginxPackages())
}

// addServices starts what runs, in the order in which one needs the other. Without a
// release there is nothing that gimel's units could start.
func (g gimel) addServices(r *recipe.Recipe) error {
	if g.localRedis() {
		if err := addRedisService(r, g.Of("redis")); err != nil {
			return err
		}
	}
	trial, err := templates.Render("gimel/trial.sh.tmpl", g.unit())
	if err != nil {
		return err
	}
	r.Add(resource.Service{Unit: gimelSocket, Needs: gimelCurrent, Listens: []string{"/run/gimel/gimel.sock"}})
	r.Add(resource.Service{
		Unit: gimelUnit, Needs: gimelCurrent, Check: trial, Trees: []string{"/etc/gimel", gimelHome, secretsDirectory},
		Listens: []string{"/run/gimel-private/private.sock"},
		Ready:   gimelCurrent + "/gimel ready --within 10s",
	})
	g.addEventLogService(r)
	r.Include(nginxService([]int{80, 443}, "", "", gimelName))
	return nil
}
