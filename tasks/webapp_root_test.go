package tasks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// put writes a file of a release, or of what stands for the host's programs.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A release may bring programs in its virtual environment: what root runs of "do webapp run" is none of them.
func TestWebappRunsNothingOfAReleaseAsRoot(t *testing.T) {
	folder := t.TempDir()
	release := folder + "/webapp/current/"
	put(t, release+".virtualenv/bin/setpriv", "#!/bin/sh\ntouch "+folder+"/ran\n")
	put(t, release+".virtualenv/bin/its", "#!/bin/sh\necho its own\n")
	put(t, folder+"/bin/systemctl", "#!/bin/sh\necho "+strconv.Itoa(os.Getpid())+"\n")
	put(t, folder+"/bin/setpriv", "#!/bin/sh\nwhile [ \"$1\" != --no-new-privs ]; do shift; done; shift\nexec \"$@\"\n")
	text := strings.ReplaceAll(webappActions()[0].Text, "/srv/", folder+"/")
	c := exec.Command("sh", "-c", "instance= user= command=its\n"+text)
	c.Env = append(os.Environ(), "PATH="+folder+"/bin:"+os.Getenv("PATH"))
	said, err := c.CombinedOutput()
	if err != nil || string(said) != "its own\n" || there(folder+"/ran") {
		t.Errorf("root ran its setpriv: %t; %v: %s", there(folder+"/ran"), err, said)
	}
}

// A module of a release may be called as one of Python's own: root, who makes the virtual environment, imports
// none of it.
func TestWebappImportsNothingOfAReleaseAsRoot(t *testing.T) {
	folder := t.TempDir()
	release := folder + "/webapp/releases/a/"
	put(t, release+"requirements.txt", "")
	put(t, release+"logging.py", "open('"+folder+"/ran', 'w')\n")
	for _, item := range deployedWebapp(t, recipe.Platforms()[0], "", webappOptions["virtualenv"], "a").Items {
		command, is := item.Resource.(resource.Command)
		if !is || !strings.Contains(command.Name, "virtual environment") {
			continue
		}
		c := exec.Command("sh", "-c", strings.ReplaceAll(command.Script, "/srv/", folder+"/"))
		said, err := c.CombinedOutput()
		if there(folder + "/ran") {
			t.Errorf("root ran its module logging: %v: %s", err, said)
		}
		return
	}
	t.Error("nothing makes a virtual environment")
}

// The requirements of a release may be a link to what root alone can read: nothing of that is told.
func TestWebappReadsNoLinkOfAReleaseAsRoot(t *testing.T) {
	folder := t.TempDir()
	release := folder + "/webapp/releases/a/"
	put(t, folder+"/shadow", "root:hunter2\n")
	put(t, release+"other", "")
	if err := os.Symlink(folder+"/shadow", release+"requirements.txt"); err != nil {
		t.Fatal(err)
	}
	for _, item := range deployedWebapp(t, recipe.Platforms()[0], "", webappOptions["virtualenv"], "a").Items {
		command, is := item.Resource.(resource.Command)
		if !is || !strings.Contains(command.Name, "virtual environment") {
			continue
		}
		said, err := exec.Command("sh", "-c", strings.ReplaceAll(command.Script, "/srv/", folder+"/")).CombinedOutput()
		if err == nil || strings.Contains(string(said), "hunter2") || !strings.Contains(string(said), "no link") {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	t.Error("nothing makes a virtual environment")
}

// Sources of a package are built by their own program: no requirement may bring any.
func TestWebappRequiresWheelsAlone(t *testing.T) {
	const pinned = "django==4.2.1 --hash=sha256:00\n"
	for requirements, taken := range map[string]bool{
		"": true, pinned: true,
		"#\n# pip-compile -r x\n--index-url https://pypi.example.org/simple\n\nuwsgi-tools[a,b]==1.0.post1 ; python_version < \"3.12\" \\\n    --hash=sha256:0a \\\n    --hash=sha256:0b\n    # via -r x.in\n": true,
		"--no-binary :all:\n" + pinned:                   false,
		"--pre --no-b :all:\n" + pinned:                  false,
		"django==4.2.1 --hash=sha256:00 --no-binary x\n": false,
		"django==4.2.1 ; a --no-binary x\n":              false,
		"django==4.2.1 \\\n--no-binary x\n":              false,
		"-r other.txt\n":                                 false,
		"-i https://x/ --no-binary :all:\n":              false,
		"# \u2028--no-binary :all:\n":                    false,
		"# \x0b--no-binary :all:\n":                      false,
		"evil @ file:///srv/evil.tar.gz\n":               false,
		"./evil.tar.gz\n":                                false,
	} {
		folder := t.TempDir()
		put(t, folder+"/requirements.txt", requirements)
		said, err := exec.Command("sh", "-c", "set -eu\ncd "+folder+"\nrequirements=requirements.txt\n"+pinnedWheels+"\necho taken").CombinedOutput()
		if (err == nil && string(said) == "taken\n") != taken {
			t.Errorf("%q: %v: %s, want taken %t", requirements, err, said, taken)
		}
	}
	for _, item := range deployedWebapp(t, recipe.Platforms()[0], "", webappOptions["virtualenv"], "a").Items {
		if command, is := item.Resource.(resource.Command); is && strings.Contains(command.Script, "pip install") && !strings.Contains(command.Script, pinnedWheels) {
			t.Errorf("%s: takes whatever is required", command.Name)
		}
	}
}
