// What a user of openapi-generator's clients does: one quote and one sales lead from their creation to their removal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"roundtrip/tmf648"
	"roundtrip/tmf699"
)

func main() {
	quote(os.Args[1] + "/tmf-api/quoteManagement/v4")
	sales(os.Args[1] + "/tmf-api/sales/v4")
	fmt.Println("round trip done")
}

func quote(url string) {
	ctx := context.Background()
	configuration := tmf648.NewConfiguration()
	configuration.Servers = tmf648.ServerConfigurations{{URL: url}}
	client := tmf648.NewAPIClient(configuration)
	quotes, hub := client.QuoteAPI, client.HubAPI

	item := tmf648.QuoteItemCreate{
		Id:        tmf648.PtrString("1"),
		Action:    tmf648.PtrString("add"),
		QuoteItem: []tmf648.QuoteItemCreate{{Id: tmf648.PtrString("2"), Action: tmf648.PtrString("add")}},
	}
	body := tmf648.QuoteCreate{
		Category:     tmf648.PtrString("enterprise"),
		Description:  tmf648.PtrString("First"),
		QuoteItem:    []tmf648.QuoteItemCreate{item},
		RelatedParty: []tmf648.RelatedPartyCreate{{Id: "go", ReferredType: "Organization"}},
	}
	created, _ := value(quotes.CreateQuote(ctx).QuoteCreate(body).Execute())
	must(created.GetState() == tmf648.QUOTESTATETYPE_IN_PROGRESS, "the state")
	must(created.QuoteItem[0].QuoteItem[0].GetId() == "2", "the nested item")
	value(quotes.CreateQuote(ctx).QuoteCreate(body).Execute())
	id := created.GetId()

	read, response := value(quotes.RetrieveQuote(ctx, id).Execute())
	must(read.GetCategory() == "enterprise" && response.Header.Get("ETag") != "", "the quote that was read")

	criteria := map[string]string{"relatedParty.id": "go"}
	page, response := value(quotes.ListQuote(ctx).Criteria(criteria).Limit(1).Execute())
	must(len(page) == 1 && response.StatusCode == http.StatusPartialContent, "one quote on the page")
	must(response.Header.Get("X-Total-Count") == "2", "two in all")
	must(strings.Contains(response.Header.Get("Link"), `rel="next"`), "the next page")

	patch := tmf648.QuoteMergePatch{}
	patch.SetCategory("residential")
	patch.SetDescriptionNil()
	changed, _ := value(quotes.PatchQuote(ctx, id).QuoteMergePatch(patch).Execute())
	must(changed.GetCategory() == "residential" && changed.Description == nil, "the merge patch")
	patched := jsonPatch(url + "/quote/" + id)
	must(patched.GetCategory() == "enterprise", "the JSON Patch")

	empty := tmf648.QuoteCreate{QuoteItem: []tmf648.QuoteItemCreate{}}
	_, _, err := quotes.CreateQuote(ctx).QuoteCreate(empty).Execute()
	wrong := errorOf(err)
	must(wrong.Status == "400" && strings.Contains(wrong.Message, "/quoteItem"), "the typed 400")
	accepted := tmf648.QuoteMergePatch{State: tmf648.QUOTESTATETYPE_ACCEPTED.Ptr()}
	_, _, err = quotes.PatchQuote(ctx, id).QuoteMergePatch(accepted).Execute()
	must(errorOf(err).Status == "409", "the typed 409")

	input := tmf648.EventSubscriptionInput{Callback: "http://127.0.0.1:9/go"}
	subscription, _ := value(hub.RegisterListener(ctx).EventSubscriptionInput(input).Execute())
	must(subscription.Callback == input.Callback && subscription.Query.Get() == nil, "the subscription")
	check(hub.UnregisterListener(ctx, subscription.Id).Execute())

	check(quotes.DeleteQuote(ctx, id).Execute())
	_, _, err = quotes.RetrieveQuote(ctx, id).Execute()
	must(errorOf(err).Code == "notFound", "the typed 404")
}

// jsonPatch sends what the generated client cannot: its patch is a merge patch. Only the answer is of a generated type.
func jsonPatch(url string) tmf648.Quote {
	operations := strings.NewReader(`[{"op": "replace", "path": "/category", "value": "enterprise"}]`)
	request, err := http.NewRequest(http.MethodPatch, url, operations)
	must(err == nil, "the request")
	request.Header.Set("Content-Type", "application/json-patch+json")
	response, err := http.DefaultClient.Do(request)
	must(err == nil, "the response")
	defer response.Body.Close()
	var patched tmf648.Quote
	must(json.NewDecoder(response.Body).Decode(&patched) == nil, "the patched quote")
	return patched
}

func errorOf(err error) tmf648.Error {
	var failed *tmf648.GenericOpenAPIError
	must(errors.As(err, &failed), "an error of the client")
	return failed.Model().(tmf648.Error)
}

func sales(url string) {
	ctx := context.Background()
	configuration := tmf699.NewConfiguration()
	configuration.Servers = tmf699.ServerConfigurations{{URL: url}}
	leads := tmf699.NewAPIClient(configuration).SalesLeadAPI

	body := tmf699.SalesLeadCreate{Name: "Campaign", Rating: tmf699.PtrString("hot")}
	lead, _ := value(leads.CreateSalesLead(ctx).SalesLeadCreate(body).Execute())
	must(lead.GetStatus() == tmf699.SALESLEADSTATETYPE_ACKNOWLEDGED, "the status")

	patch := tmf699.SalesLeadMergePatch{Status: tmf699.SALESLEADSTATETYPE_IN_PROGRESS.Ptr()}
	patch.SetRatingNil()
	changed, _ := value(leads.PatchSalesLead(ctx, lead.Id).SalesLeadMergePatch(patch).Execute())
	must(changed.GetStatus() == tmf699.SALESLEADSTATETYPE_IN_PROGRESS && changed.Rating == nil, "the merge patch")
	check(leads.DeleteSalesLead(ctx, lead.Id).Execute())
}

func value[T any](value T, response *http.Response, err error) (T, *http.Response) {
	check(response, err)
	return value, response
}

func check(_ *http.Response, err error) {
	if err != nil {
		panic(err)
	}
}

func must(holds bool, what string) {
	if !holds {
		panic("wrong: " + what)
	}
}
