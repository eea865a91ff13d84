{{/* What all pods have in common: a restricted security context, settings, secrets as files. */}}
{{- define "tmf-sales.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "tmf-sales.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "tmf-sales.environment" -}}
- name: TMF_SALES_HOST
  value: 0.0.0.0
- name: TMF_SALES_MANAGEMENT_PORT
  value: {{ .Values.managementPort | quote }}
- name: TMF_SALES_PUBLIC_URL
  value: {{ include "tmf-sales.publicUrl" . | quote }}
{{- if .Values.store.sqlite.enabled }}
- name: TMF_SALES_STORE
  value: sqlite:///var/lib/tmf-sales/tmf-sales.sqlite
{{- end }}
{{- if .Values.store.existingSecret }}
- name: TMF_SALES_STORE_FILE
  value: /run/secrets/tmf-sales/store/url
{{- end }}
{{- if .Values.webhookSecret.existingSecret }}
- name: TMF_SALES_WEBHOOK_SECRET_FILE
  value: /run/secrets/tmf-sales/webhook/secret
{{- end }}
{{- if .Values.auth.allowAnonymous }}
- name: TMF_SALES_ALLOW_ANONYMOUS
  value: "true"
{{- end }}
{{- with .Values.auth.jwt }}
{{- if .issuer }}
- name: TMF_SALES_JWT_ISSUER
  value: {{ .issuer | quote }}
- name: TMF_SALES_JWT_AUDIENCE
  value: {{ .audience | quote }}
- name: TMF_SALES_JWT_KEYS
  value: {{ .keys | quote }}
{{- end }}
{{- end }}
{{- if .Values.auth.apiKeys.existingSecret }}
- name: TMF_SALES_API_KEYS
  value: /run/secrets/tmf-sales/api-keys/keys
{{- end }}
{{- if .Values.auth.policy.existingConfigMap }}
- name: TMF_SALES_POLICY
  value: /etc/tmf-sales/policy.yaml
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "tmf-sales.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.store.existingSecret }}
- name: store
  mountPath: /run/secrets/tmf-sales/store
  readOnly: true
{{- end }}
{{- if .Values.webhookSecret.existingSecret }}
- name: webhook
  mountPath: /run/secrets/tmf-sales/webhook
  readOnly: true
{{- end }}
{{- if .Values.auth.apiKeys.existingSecret }}
- name: api-keys
  mountPath: /run/secrets/tmf-sales/api-keys
  readOnly: true
{{- end }}
{{- if .Values.auth.policy.existingConfigMap }}
- name: policy
  mountPath: /etc/tmf-sales
  readOnly: true
{{- end }}
{{- end -}}

{{- define "tmf-sales.volumes" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
{{- with .Values.store }}
{{- if .existingSecret }}
- name: store
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{ key: {{ .key }}, path: url }]
{{- end }}
{{- end }}
{{- with .Values.webhookSecret }}
{{- if .existingSecret }}
- name: webhook
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{ key: {{ .key }}, path: secret }]
{{- end }}
{{- end }}
{{- with .Values.auth.apiKeys }}
{{- if .existingSecret }}
- name: api-keys
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{ key: {{ .key }}, path: keys }]
{{- end }}
{{- end }}
{{- with .Values.auth.policy }}
{{- if .existingConfigMap }}
- name: policy
  configMap:
    name: {{ .existingConfigMap }}
    items: [{ key: {{ .key }}, path: policy.yaml }]
{{- end }}
{{- end }}
{{- end -}}

{{/* Probes of the management port. */}}
{{- define "tmf-sales.probes" -}}
startupProbe:
  httpGet: { path: /live, port: management }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /live, port: management }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /ready, port: management }
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
{{- end -}}

{{/* Where a pod runs, as (dict "placement" .Values.serve). */}}
{{- define "tmf-sales.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
