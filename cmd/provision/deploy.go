package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/recipe"
	"provision/internal/release"
	"provision/internal/run"
	"provision/internal/script"
)

// artifactFlags say which release is deployed: the one that is built from a source tree, the one
// that came with this program, or a file.
type artifactFlags struct {
	file   string
	sha256 string
	source string
}

func newDeploy(f *flags, io console) *cobra.Command {
	var artifact artifactFlags
	command := &cobra.Command{
		Use:   "deploy TASK",
		Short: "install an application, and switch it to a new release",
		Long: `Deploys a release of an application: it installs what it stands on, uploads
the release beside those that are there, starts it beside the one that runs,
and switches to it when it answers. A release that fails is taken back by
itself. The same release again changes nothing.`,
		Example: `  provision deploy gimel -H root@web1    what came with provision, or
                                         is built from its source tree
  provision deploy gimel -l ab --artifact ./gimel --sha256 4f0c…
  provision deploy shop --artifact shop.tar.gz    of a task of your own
  provision deploy webapp@blog -l web    the commit that hosts.yaml names`,
		Args: arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			deployed, err := f.findDeployed(args[0])
			if err != nil {
				return err
			}
			made, err := artifact.release(command.Context(), args[0], deployed)
			if err != nil {
				return err
			}
			return f.deploy(command.Context(), io, args[0], made)
		},
	}
	f.run.registerChanges(command)
	f.run.registerUpgrade(command)
	f.run.registerMemory(command)
	flags := command.Flags()
	flags.StringVar(&artifact.file, "artifact", "", "a binary to deploy, instead of building one")
	flags.StringVar(&artifact.sha256, "sha256", "", "what the artifact's SHA-256 must be")
	flags.StringVar(&artifact.source, "source", "", "the source `TREE` to build from (default this one, or what came with provision)")
	return command
}

var digestForm = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

// release returns what is to be deployed.
func (a artifactFlags) release(ctx context.Context, task string, deployed *recipe.Deployed) (*recipe.Release, error) {
	if a.sha256 != "" && a.file == "" {
		return nil, usage(errors.New("--sha256: of no --artifact"), "add --artifact FILE")
	}
	if a.sha256 != "" && !digestForm.MatchString(a.sha256) {
		return nil, usage(fmt.Errorf("--sha256 %q: is no SHA-256", a.sha256), "64 hexadecimal digits, as sha256sum prints them")
	}
	if a.file != "" {
		made, err := release.FromFile(a.file, a.sha256)
		switch {
		case errors.Is(err, release.ErrDigest):
			return nil, usage(err, "fetch the file again, or say the SHA-256 of this one")
		case err != nil:
			return nil, usage(err, "--artifact names the binary of "+task+"; without it one is built from this source tree")
		}
		return made, nil
	}
	switch {
	case deployed.Fetches:
		return &recipe.Release{}, nil
	case deployed.Source == "":
		return nil, usage(fmt.Errorf("deploy %s: what is deployed is built elsewhere", task), "provision deploy "+task+" --artifact FILE")
	}
	made, err := release.FromSource(ctx, cmp.Or(a.source, "."), deployed.Source)
	if errors.Is(err, release.ErrNoSource) && a.source == "" {
		made, err = packaged(path.Base(deployed.Source))
	}
	if errors.Is(err, release.ErrNoSource) || errors.Is(err, release.ErrNotPackaged) {
		return nil, usage(err, howToGet(deployed.Source))
	}
	return made, err
}

// howToGet says where a program of this module comes from: where the module was fetched from, if it
// was (a path without a dot is of a clone: go.dev/ref/mod#module-path), or the source tree.
func howToGet(source string) string {
	info, stamped := debug.ReadBuildInfo()
	if !stamped || !strings.Contains(info.Main.Path, ".") {
		return "run it in provision's source tree, or add --artifact FILE"
	}
	return "CGO_ENABLED=0 go install " + path.Join(info.Main.Path, source) + "@" + version() +
		`, then add --artifact "$(go env GOPATH)/bin/` + path.Base(source) + `"`
}

// packaged is the release of a program that came with this one.
func packaged(program string) (*recipe.Release, error) {
	executable, err := os.Executable()
	if err == nil {
		executable, err = filepath.EvalSymlinks(executable)
	}
	if err != nil {
		return nil, err
	}
	return release.FromPackage(release.PackagedIn(executable), program)
}

// findDeployed returns where a task keeps its releases; an error for a task without any.
func (f *flags) findDeployed(name string) (*recipe.Deployed, error) {
	task, err := f.findTask(name)
	if err != nil {
		return nil, err
	}
	if task.Deployed == nil {
		return nil, usage(fmt.Errorf("%s: has no releases", name), "provision install "+name)
	}
	return task.Deployed, nil
}

func (f *flags) deploy(ctx context.Context, io console, name string, made *recipe.Release) error {
	e, err := f.work(io, []string{name})
	if err != nil {
		return err
	}
	e.deploys(name, made)
	if f.run.check {
		_, err := f.showPlan(ctx, io, e, nil)
		return err
	}
	return f.change(ctx, io, "deploy", e, run.Install)
}

// deploys lets the hosts that have a task have that release of it, and reports whether there is one.
func (e errand) deploys(name string, made *recipe.Release) bool {
	some := false
	for i := range e.work {
		its := &e.work[i].Blueprint
		if slices.ContainsFunc(its.Tasks, func(task recipe.Task) bool { return task.Name == name }) {
			its.Deploys, its.Release = name, made
			some = true
		}
	}
	return some
}

// addRelease adds to what is installed the release of a task, as TASK=FILE says.
func (f *flags) addRelease(ctx context.Context, e errand, artifact string) error {
	name, file, both := strings.Cut(artifact, "=")
	if !both || name == "" || file == "" {
		return usage(fmt.Errorf("--artifact %q: must be as TASK=FILE", artifact), "as --artifact webapp=shop.tar; provision deploy TASK takes the file alone")
	}
	deployed, err := f.findDeployed(name)
	if err != nil {
		return err
	}
	made, err := artifactFlags{file: file}.release(ctx, name, deployed)
	if err != nil {
		return err
	}
	if !e.deploys(name, made) {
		return usage(fmt.Errorf("--artifact %s: no host of these has %s", artifact, name), "provision deploy "+name+" --artifact "+script.Quote(file))
	}
	return nil
}

func newReleases(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "releases TASK",
		Short: "the releases that hosts have, and which one runs",
		Args:  arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			deployed, err := f.findDeployed(args[0])
			if err != nil {
				return err
			}
			e, err := f.bare(io)
			if err != nil {
				return err
			}
			text := "cd " + script.Quote(deployed.Releases) + " 2>/dev/null || { echo 'no releases'; exit 0; }\n" +
				"current=$(readlink " + script.Quote(deployed.Current) + ")\n" +
				`for release in *; do
[ -d "$release" ] || continue
mark=' '
[ "${current##*/}" = "$release" ] && mark='*'
printf '%s %s\n' "$mark" "$release"
done`
			_, err = f.show(command.Context(), io, e, run.Settings{InOrder: true}, run.Exec(run.Command{Text: text, Root: true}))
			return err
		},
	}
	f.run.registerForks(command)
	return command
}
