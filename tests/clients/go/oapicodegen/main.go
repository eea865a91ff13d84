// What a user of the clients of oapi-codegen does: one quote and one sales lead from their creation to their removal.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/oapi-codegen/nullable"

	"roundtrip/oapi/tmf648"
	"roundtrip/oapi/tmf699"
)

func main() {
	quote(os.Args[1] + "/tmf-api/quoteManagement/v4")
	sales(os.Args[1] + "/tmf-api/sales/v4")
	fmt.Println("round trip done")
}

func quote(url string) {
	ctx := context.Background()
	client := value(tmf648.NewClientWithResponses(url))

	item := tmf648.QuoteItemCreate{
		Id:        ptr("1"),
		Action:    ptr("add"),
		QuoteItem: &[]tmf648.QuoteItemCreate{{Id: ptr("2"), Action: ptr("add")}},
	}
	body := tmf648.QuoteCreate{
		Category:     ptr("enterprise"),
		Description:  ptr("First"),
		QuoteItem:    []tmf648.QuoteItemCreate{item},
		RelatedParty: &[]tmf648.RelatedPartyCreate{{Id: "oapi-codegen", ReferredType: "Organization"}},
	}
	created := value(client.CreateQuoteWithResponse(ctx, nil, body)).JSON201
	must(*created.State == tmf648.QuoteStateTypeInProgress, "the state")
	must(*(*(*created.QuoteItem)[0].QuoteItem)[0].Id == "2", "the nested item")
	must(value(client.CreateQuoteWithResponse(ctx, nil, body)).JSON201 != nil, "a second quote")
	id := *created.Id

	read := value(client.RetrieveQuoteWithResponse(ctx, id, nil))
	must(*read.JSON200.Category == "enterprise", "the category")
	must(read.Headers200.ETag != nil, "the ETag")

	filter := tmf648.ListQuoteParams{Criteria: &tmf648.Criteria{"relatedParty.id": "oapi-codegen"}, Limit: ptr(1)}
	page := value(client.ListQuoteWithResponse(ctx, &filter))
	must(len(*page.JSON206) == 1, "one quote on the page")
	must(*page.Headers206.XTotalCount == 2, "two in all")
	must(strings.Contains(*page.Headers206.Link, `rel="next"`), "the next page")

	patch := tmf648.QuoteMergePatch{
		Category:    nullable.NewNullableWithValue("residential"),
		Description: nullable.NewNullNullable[string](),
	}
	changed := value(client.PatchQuoteWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, id, nil, patch)).JSON200
	must(*changed.Category == "residential" && changed.Description == nil, "the merge patch")

	operations := strings.NewReader(`[{"op": "replace", "path": "/category", "value": "enterprise"}]`)
	json := "application/json-patch+json"
	changed = value(client.PatchQuoteWithBodyWithResponse(ctx, id, nil, json, operations)).JSON200
	must(*changed.Category == "enterprise", "the JSON Patch")

	wrong := value(client.CreateQuoteWithResponse(ctx, nil, tmf648.QuoteCreate{QuoteItem: []tmf648.QuoteItemCreate{}}))
	must(wrong.JSON400.Status == "400" && strings.Contains(wrong.JSON400.Message, "/quoteItem"), "the typed 400")
	accepted := tmf648.QuoteMergePatch{State: ptr(tmf648.QuoteStateTypeAccepted)}
	conflict := value(client.PatchQuoteWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, id, nil, accepted))
	must(conflict.JSON409.Status == "409", "the typed 409")

	input := tmf648.EventSubscriptionInput{Callback: "http://127.0.0.1:9/oapi-codegen"}
	subscription := value(client.RegisterListenerWithResponse(ctx, nil, input)).JSON201
	must(subscription.Callback == input.Callback && subscription.Query.IsNull(), "the subscription")
	ended := value(client.UnregisterListenerWithResponse(ctx, subscription.Id, nil))
	must(ended.StatusCode() == 204, "the end of the subscription")

	must(value(client.DeleteQuoteWithResponse(ctx, id, nil)).StatusCode() == 204, "the removal")
	must(value(client.RetrieveQuoteWithResponse(ctx, id, nil)).JSON404.Code == "notFound", "the typed 404")
}

func sales(url string) {
	ctx := context.Background()
	client := value(tmf699.NewClientWithResponses(url))

	body := tmf699.SalesLeadCreate{Name: "Campaign", Rating: ptr("hot"), Priority: ptr(tmf699.SalesLeadPriorityTypeHigh)}
	lead := value(client.CreateSalesLeadWithResponse(ctx, nil, body)).JSON201
	must(*lead.Status == tmf699.SalesLeadStateTypeAcknowledged, "the status")

	patch := tmf699.SalesLeadMergePatch{
		Status: ptr(tmf699.SalesLeadStateTypeInProgress),
		Rating: nullable.NewNullNullable[string](),
	}
	changed := value(client.PatchSalesLeadWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, lead.Id, nil, patch)).JSON200
	must(*changed.Status == tmf699.SalesLeadStateTypeInProgress && changed.Rating == nil, "the merge patch")

	wrong := value(client.CreateSalesLeadWithResponse(ctx, nil, tmf699.SalesLeadCreate{Name: strings.Repeat("x", 513)}))
	must(wrong.JSON400.Code == "invalidBody", "the typed 400")
	must(value(client.DeleteSalesLeadWithResponse(ctx, lead.Id, nil)).StatusCode() == 204, "the removal")
}

func ptr[T any](value T) *T { return &value }

func value[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func must(holds bool, what string) {
	if !holds {
		panic("wrong: " + what)
	}
}
