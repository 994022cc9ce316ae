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
