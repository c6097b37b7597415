// Modules that hold definitions of custom resources; go.sum pins what is in them. Nothing of them is built.
module definitions

go 1.21

require (
	github.com/kserve/kserve v0.15.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
