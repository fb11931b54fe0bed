// Command device-plugin offers a number of devices that do not exist to a kubelet,
// so that accelerator scheduling can be tried on a machine without accelerators.
// It speaks the kubelet's device plugin API v1beta1 as a vendor's plugin does:
// https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const registerTimeout = 10 * time.Second

func main() {
	resource := flag.String("resource", "nvidia.com/gpu", "extended resource to offer")
	count := flag.Int("count", 4, "number of devices")
	directory := flag.String("socket-dir", "/var/lib/kubelet/device-plugins", "the kubelet's device plugin directory")
	flag.Parse()
	log.SetFlags(log.LstdFlags | log.LUTC)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, newPlugin(*resource, *count), *directory); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

// run serves the plugin, and registers it with every kubelet that appears: a
// kubelet that starts empties the directory and makes its own socket anew.
func run(ctx context.Context, plugin *plugin, directory string) error {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	// Watched before the first look, so that no socket is missed in between.
	if err := watcher.Add(directory); err != nil {
		return err
	}
	kubelet := filepath.Join(directory, filepath.Base(api.KubeletSocket))
	if _, err := os.Stat(kubelet); err == nil {
		plugin.offer(ctx, directory, kubelet)
	}
	defer plugin.stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if event.Name == kubelet && event.Has(fsnotify.Create) {
				plugin.offer(ctx, directory, kubelet)
			}
		case err := <-watcher.Errors:
			return err
		}
	}
}

type plugin struct {
	api.UnimplementedDevicePluginServer
	resource string
	devices  []*api.Device
	server   *grpc.Server
}

func newPlugin(resource string, count int) *plugin {
	p := &plugin{resource: resource}
	for i := range count {
		p.devices = append(p.devices, &api.Device{ID: fmt.Sprintf("stand-in-%d", i), Health: api.Healthy})
	}
	return p
}

// offer serves on a fresh socket and tells the kubelet its name. A kubelet that
// refuses is logged: the next one that appears is asked again.
func (p *plugin) offer(ctx context.Context, directory, kubelet string) {
	p.stop()
	endpoint := strings.NewReplacer("/", "-", ".", "-").Replace(p.resource) + ".sock"
	socket := filepath.Join(directory, endpoint)
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		log.Printf("%s: %v", p.resource, err)
		return
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Printf("%s: %v", p.resource, err)
		return
	}
	p.server = grpc.NewServer()
	api.RegisterDevicePluginServer(p.server, p)
	go func(server *grpc.Server) { _ = server.Serve(listener) }(p.server)
	if err := register(ctx, kubelet, &api.RegisterRequest{
		Version:      api.Version,
		Endpoint:     endpoint,
		ResourceName: p.resource,
		Options:      &api.DevicePluginOptions{},
	}); err != nil {
		log.Printf("%s: the kubelet did not take the registration: %v", p.resource, err)
		return
	}
	log.Printf("%s: %d devices registered", p.resource, len(p.devices))
}

func (p *plugin) stop() {
	if p.server != nil {
		p.server.Stop()
		p.server = nil
	}
}

func register(ctx context.Context, kubelet string, request *api.RegisterRequest) error {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	connection, err := grpc.NewClient("unix://"+kubelet, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	// The socket can exist a moment before the kubelet listens on it.
	_, err = api.NewRegistrationClient(connection).Register(ctx, request, grpc.WaitForReady(true))
	return err
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

// Allocate grants what the kubelet chose. No device files exist; the environment
// names the devices, as vendors' plugins do.
func (p *plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	response := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{"STAND_IN_DEVICES": strings.Join(container.DevicesIds, ",")},
		})
	}
	return response, nil
}
