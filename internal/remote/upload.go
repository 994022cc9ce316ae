package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/pkg/sftp"

	"provision/internal/script"
)

// Upload is a file on its way to a host.
type Upload struct {
	Content  io.ReaderAt
	Size     int64            // of Content, in bytes
	Path     string           // absolute; a temporary of the caller's, who sets owner and mode and renames it
	Root     bool             // write it as root
	Progress func(done int64) // bytes handed over so far, what was there already included; nil is none
}

// sftpInFlight is how many writes of 32 KiB wait for their answer at a time:
// 2 MiB, which is also the window of the channel.
const sftpInFlight = 64

// ErrUploadDamaged applies when the file that arrived is not the one that was
// sent, or was changed while it was: nothing may be renamed then.
var ErrUploadDamaged = errors.New("the upload does not match its source")

// Upload writes a file with mode 0600, and syncs it. It goes on where an
// earlier attempt stopped, when what is there is the beginning of the content.
// In the end the host's SHA-256 of the file equals the content's.
//
// It goes over SFTP. Where the server has no SFTP subsystem, or a startup file
// of the login shell prints into it, or when root is wanted and the login is
// not root (the subsystem runs as the login user), `cat` in a command does it.
func (c *Connection) Upload(ctx context.Context, upload Upload) error {
	offset, err := c.prepareUpload(ctx, upload)
	if err != nil {
		return fmt.Errorf("upload %s: %w", upload.Path, err)
	}
	content := &progressReader{
		section:  io.NewSectionReader(upload.Content, offset, upload.Size-offset),
		done:     offset,
		progress: upload.Progress,
	}
	content.report()
	if offset < upload.Size {
		if err := c.send(ctx, upload, content, offset); err != nil {
			return fmt.Errorf("upload %s: %w", upload.Path, c.room(ctx, upload, err))
		}
	}
	if err := c.finishUpload(ctx, upload); err != nil {
		return fmt.Errorf("upload %s: %w", upload.Path, err)
	}
	return nil
}

// prepareUpload makes the file, or finds how much of it is there already. A
// symbolic link in the temporary's place is refused, not followed, and so is
// what is no file.
func (c *Connection) prepareUpload(ctx context.Context, upload Upload) (offset int64, err error) {
	answer, err := c.Run(ctx, Command{Root: upload.Root, Script: "f=" + script.Quote(upload.Path) + `
[ ! -h "$f" ] || { echo "$f: is a symbolic link" >&2; exit 1; }
[ ! -e "$f" ] || [ -f "$f" ] || { echo "$f: is not a regular file" >&2; exit 1; }
umask 077
: >>"$f" && chmod 600 "$f" && stat -c %s "$f" && sha256sum <"$f"`}, nil)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(answer))
	if len(fields) < 2 {
		return 0, fmt.Errorf("unexpected answer %q", answer)
	}
	size, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("unexpected answer %q", answer)
	}
	if size > 0 && size <= upload.Size {
		sum, err := hashPrefix(upload.Content, size)
		if err != nil || sum == fields[1] {
			return size, err
		}
	}
	if size == 0 {
		return 0, nil
	}
	_, err = c.Run(ctx, Command{Root: upload.Root, Script: ": >" + script.Quote(upload.Path)}, nil)
	return 0, err
}

func (c *Connection) finishUpload(ctx context.Context, upload Upload) error {
	want, err := hashPrefix(upload.Content, upload.Size)
	if err != nil {
		return err
	}
	path := script.Quote(upload.Path)
	answer, err := c.Run(ctx, Command{Root: upload.Root, Script: "sync " + path + " && sha256sum <" + path}, nil)
	if err != nil {
		return err
	}
	if got, _, _ := bytes.Cut(answer, []byte(" ")); string(got) != want {
		return fmt.Errorf("%w: SHA-256 is %s there and %s here", ErrUploadDamaged, got, want)
	}
	return nil
}

func hashPrefix(content io.ReaderAt, size int64) (string, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, io.NewSectionReader(content, 0, size))
	if err == nil && n != size {
		err = fmt.Errorf("%w: the source is shorter than %d bytes", ErrUploadDamaged, size)
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

// send moves the bytes: over SFTP where that works, else through a command.
func (c *Connection) send(ctx context.Context, upload Upload, content io.Reader, offset int64) error {
	ssh, isSSH := c.transport.(*sshTransport)
	if isSSH && (c.root || !upload.Root) {
		client, err := openSFTP(ctx, ssh)
		if err == nil {
			defer client.Close()
			err = sendSFTP(ctx, client, upload.Path, content, offset)
			if errors.Is(err, sftp.ErrSSHFxConnectionLost) {
				err = ssh.lost(err)
			}
			return err
		}
		if ssh.ended() || ctx.Err() != nil {
			return ssh.lost(err)
		}
		c.config.warn(fmt.Sprintf("%s: SFTP does not work (%s): uploading through a command; "+
			"is `Subsystem sftp` set in sshd_config, and does a startup file of the login shell print something?", c.name, err))
	}
	return c.sendCommand(ctx, upload, content)
}

// room names the file system that is full, where an upload failed for that: of a full
// disk SFTP says nothing but "Failure".
func (c *Connection) room(ctx context.Context, upload Upload, failure error) error {
	if errors.Is(failure, ErrLost) || ctx.Err() != nil {
		return failure
	}
	answer, err := c.Run(ctx, Command{Root: upload.Root, Script: "df --output=avail,iavail,target -- " + script.Quote(path.Dir(upload.Path)) + ` | {
read -r _
read -r kilobytes inodes at
[ "$kilobytes" -ge 256 ] && [ "$inodes" != 0 ] || printf %s "the file system at $at is full: $kilobytes KiB and $inodes inodes are left"
}`}, nil)
	if err != nil || len(answer) == 0 {
		return failure
	}
	return fmt.Errorf("%s (%w)", answer, failure)
}

// openSFTP opens the subsystem. A server that prints noise first, or says
// nothing, must not hold us.
func openSFTP(ctx context.Context, t *sshTransport) (*sftp.Client, error) {
	ctx, clock := startWatchdog(ctx, t.settings.connectTimeout)
	defer clock.stop()
	session, err := t.client.NewSession()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { session.Close() })
	defer stop()
	stdin, _ := session.StdinPipe() // these fail only when called twice
	stdout, _ := session.StdoutPipe()
	if err := session.RequestSubsystem("sftp"); err != nil {
		session.Close()
		return nil, err
	}
	client, err := sftp.NewClientPipe(stdout, stdin, sftp.UseConcurrentWrites(true))
	if err != nil {
		session.Close()
		return nil, err
	}
	return client, nil
}

// sendSFTP appends to the file. Several writes are in flight at once and one
// that fails may leave a hole: that is why the result is hashed.
func sendSFTP(ctx context.Context, client *sftp.Client, path string, content io.Reader, offset int64) error {
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	file, err := client.OpenFile(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	if _, err := file.ReadFromWithConcurrency(content, sftpInFlight); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return err
	}
	return file.Close()
}

// sendCommand appends with cat.
func (c *Connection) sendCommand(ctx context.Context, upload Upload, content io.Reader) error {
	process, err := c.Start(ctx, Command{Root: upload.Root, Script: "exec cat >>" + script.Quote(upload.Path)})
	if err != nil {
		return err
	}
	var stderr tail
	drained := make(chan struct{})
	go func() {
		io.Copy(&stderr, process.Stderr)
		close(drained)
	}()
	_, copyErr := io.Copy(process.Stdin, content)
	if copyErr != nil && !errors.Is(copyErr, io.EOF) { // io.EOF: cat has gone, and says why
		process.Kill()
	}
	process.Stdin.Close()
	<-drained
	err = process.Wait()
	var exit *ExitError
	if errors.As(err, &exit) {
		exit.Stderr = stderr.kept
	}
	return errors.Join(err, copyErr)
}

// progressReader reads the content and tells how far it is.
type progressReader struct {
	section  *io.SectionReader
	done     int64
	progress func(int64)
}

func (r *progressReader) Read(buffer []byte) (int, error) {
	n, err := r.section.Read(buffer)
	r.done += int64(n)
	if n > 0 {
		r.report()
	}
	return n, err
}

func (r *progressReader) report() {
	if r.progress != nil {
		r.progress(r.done)
	}
}
