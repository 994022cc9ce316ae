package listen

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestActivatedTakesTheSocketsOfSystemd(t *testing.T) {
	folder := t.TempDir()
	const first = 100 // stands for 3, which belongs to the test binary
	for i := range 2 {
		listener, err := net.Listen("unix", filepath.Join(folder, strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		file, err := listener.(*net.UnixListener).File()
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Dup3(int(file.Fd()), first+i, 0); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	listeners, err := activated(environment(map[string]string{"LISTEN_PID": "42", "LISTEN_FDS": "2"}), 42, first)
	if err != nil || len(listeners) != 2 {
		t.Fatalf("%v, %v", listeners, err)
	}
	for i, listener := range listeners {
		go func() {
			connection, err := listener.Accept()
			if err == nil {
				connection.Close()
			}
		}()
		connection, err := net.Dial("unix", filepath.Join(folder, strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		connection.Close()
		listener.Close()
		// The socket is systemd's: its file stays.
		if _, err := os.Stat(filepath.Join(folder, strconv.Itoa(i))); err != nil {
			t.Error(err)
		}
	}
}

func TestActivatedIgnoresWhatIsMeantForAnotherProcess(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"nothing":   {},
		"other pid": {"LISTEN_PID": "41", "LISTEN_FDS": "1"},
		"no socket": {"LISTEN_PID": "42", "LISTEN_FDS": "0"},
	} {
		if listeners, err := Activated(environment(values), 42); err != nil || len(listeners) != 0 {
			t.Errorf("%s: %v, %v", name, listeners, err)
		}
	}
	for _, count := range []string{"", "x", "-1"} {
		if _, err := Activated(environment(map[string]string{"LISTEN_PID": "42", "LISTEN_FDS": count}), 42); err == nil {
			t.Errorf("LISTEN_FDS=%q accepted", count)
		}
	}
}

func TestOpenReplacesADeadSocketOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	first.SetUnlinkOnClose(false)
	if _, err := Open("unix:" + path); err == nil {
		t.Error("took over a socket where somebody listens")
	}
	first.Close()
	second, err := Open("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("unix:" + path); err == nil {
		t.Error("replaced a file that is no socket")
	}
}

func TestCheck(t *testing.T) {
	for address, ok := range map[string]bool{"unix:/run/x": true, "127.0.0.1:8000": true, "[::1]:0": true, ":80": true,
		"unix:x": false, "8000": false, "a:b": false, "a:70000": false, "": false} {
		if err := Check(address); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", address, err)
		}
	}
}

func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := Notify(environment(map[string]string{"NOTIFY_SOCKET": path}), Ready); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, err := socket.Read(buffer)
	if err != nil || string(buffer[:n]) != "READY=1" {
		t.Errorf("got %q, %v", buffer[:n], err)
	}
	if err := Notify(environment(nil), Ready); err != nil {
		t.Error(err)
	}
}
