{{- define "tmf-sales.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tmf-sales.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tmf-sales.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "tmf-sales.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "tmf-sales.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tmf-sales.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tmf-sales.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* The base of every href. */}}
{{- define "tmf-sales.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl | trimSuffix "/" -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "%s://%s%s" (ternary "https" "http" (ne .Values.ingress.tlsSecret "")) .Values.ingress.host (.Values.ingress.path | trimSuffix "/") -}}
{{- else -}}
{{- printf "http://%s.%s:%d" (include "tmf-sales.fullname" .) .Release.Namespace (int .Values.service.port) -}}
{{- end -}}
{{- end -}}

{{/* Whether delivery has pods of its own: not with SQLite, whose volume belongs to one pod. */}}
{{- define "tmf-sales.hasDelivery" -}}
{{- if and .Values.delivery.enabled (not .Values.store.sqlite.enabled) -}}true{{- end -}}
{{- end -}}

{{/* Reject values that cannot work together, before anything is installed. */}}
{{- define "tmf-sales.validate" -}}
{{- $store := .Values.store -}}
{{- if eq (ne $store.existingSecret "") $store.sqlite.enabled -}}
{{- fail "expected one store: store.existingSecret (a Secret with its URL) or store.sqlite.enabled" -}}
{{- end -}}
{{- $jwt := .Values.auth.jwt -}}
{{- $identity := or $jwt.issuer .Values.auth.apiKeys.existingSecret -}}
{{- if and (not $identity) (not .Values.auth.allowAnonymous) -}}
{{- fail "expected auth.jwt, auth.apiKeys.existingSecret, or auth.allowAnonymous where everybody may do everything" -}}
{{- end -}}
{{- if and $jwt.issuer (not (and $jwt.audience $jwt.keys)) -}}
{{- fail "auth.jwt.issuer needs auth.jwt.audience and auth.jwt.keys" -}}
{{- end -}}
{{- if and $store.sqlite.enabled (or .Values.autoscaling.enabled (gt (int .Values.serve.replicas) 1)) -}}
{{- fail "store.sqlite is for one pod; expected serve.replicas 1 and no autoscaling" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.enabled needs ingress.host" -}}
{{- end -}}
{{- if lt (int .Values.serve.terminationGracePeriodSeconds) (int (add .Values.serve.preStopSeconds .Values.serve.drainSeconds 10)) -}}
{{- fail "serve.terminationGracePeriodSeconds is less than preStopSeconds + drainSeconds + 10" -}}
{{- end -}}
{{- end -}}
