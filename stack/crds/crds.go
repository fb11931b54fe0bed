// Package crds pins the modules whose CRD manifests the stack applies; nothing
// of them is compiled. The blank imports keep `go mod tidy` from dropping the pins.
package crds

import (
	_ "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	_ "sigs.k8s.io/gateway-api-inference-extension/apix/v1alpha2"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
