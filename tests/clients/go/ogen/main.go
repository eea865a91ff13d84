// What a user of the clients of ogen does: one quote and one sales lead from their creation to their removal.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/ogen-go/ogen/ogenerrors"

	"roundtrip/ogen/tmf648"
	"roundtrip/ogen/tmf699"
)

func main() {
	quote(os.Args[1] + "/tmf-api/quoteManagement/v4")
	sales(os.Args[1] + "/tmf-api/sales/v4")
	fmt.Println("round trip done")
}

func quote(address string) {
	ctx := context.Background()
	client := value(tmf648.NewClient(address, noQuoteCredentials{}))

	body := tmf648.QuoteCreate{
		Category:    tmf648.NewOptString("enterprise"),
		Description: tmf648.NewOptString("First"),
		QuoteItem: []tmf648.QuoteItemCreate{{
			ID:        tmf648.NewOptString("1"),
			Action:    tmf648.NewOptString("add"),
			QuoteItem: []tmf648.QuoteItemCreate{{ID: tmf648.NewOptString("2"), Action: tmf648.NewOptString("add")}},
		}},
		RelatedParty: []tmf648.RelatedPartyCreate{
			{ID: "ogen", ReferredType: "Organization"},
		},
	}
	created := value(client.CreateQuote(ctx, &body, tmf648.CreateQuoteParams{})).(*tmf648.QuoteHeaders).Response
	must(created.State.Value == tmf648.QuoteStateTypeInProgress, "the state")
	must(created.QuoteItem[0].QuoteItem[0].ID.Value == "2", "the nested item")
	value(client.CreateQuote(ctx, &body, tmf648.CreateQuoteParams{}))
	id := created.ID.Value

	read := value(client.RetrieveQuote(ctx, tmf648.RetrieveQuoteParams{ID: id})).(*tmf648.RetrieveQuoteOKHeaders)
	must(read.Response.Category.Value == "enterprise" && read.ETag.Set, "the quote that was read")

	filter := tmf648.ListQuoteParams{
		Criteria: tmf648.NewOptCriteria(tmf648.Criteria{"relatedParty.id": "ogen"}),
		Limit:    tmf648.NewOptInt(1),
	}
	page := value(client.ListQuote(ctx, filter)).(*tmf648.QuotePageHeaders)
	must(len(page.Response) == 1 && page.XTotalCount.Value == 2, "the page")
	must(strings.Contains(page.Link.Value, `rel="next"`), "the next page")

	patch := tmf648.QuoteMergePatch{Category: tmf648.NewOptNilString("residential")}
	patch.Description.SetToNull()
	changed := value(client.PatchQuote(ctx, &patch, tmf648.PatchQuoteParams{ID: id})).(*tmf648.PatchQuoteOKHeaders).Response
	must(changed.Category.Value == "residential" && !changed.Description.Set, "the merge patch")

	wrong := value(client.CreateQuote(ctx, &tmf648.QuoteCreate{
		QuoteItem: []tmf648.QuoteItemCreate{{Action: tmf648.NewOptString("add")}, {ID: tmf648.NewOptString("1")}},
		State:     tmf648.NewOptQuoteCreateState("accepted"),
	}, tmf648.CreateQuoteParams{})).(*tmf648.CreateQuoteBadRequest)
	must(wrong.Status == "400", "the typed 400")
	accepted := tmf648.QuoteMergePatch{State: tmf648.NewOptQuoteStateType(tmf648.QuoteStateTypeAccepted)}
	conflict := value(client.PatchQuote(ctx, &accepted, tmf648.PatchQuoteParams{ID: id})).(*tmf648.PatchQuoteConflict)
	must(conflict.Status == "409", "the typed 409")

	input := tmf648.EventSubscriptionInput{Callback: *value(url.Parse("http://127.0.0.1:9/ogen"))}
	registered := value(client.RegisterListener(ctx, &input, tmf648.RegisterListenerParams{}))
	subscription := registered.(*tmf648.ListenerCreatedHeaders).Response
	must(subscription.Callback == input.Callback && subscription.Query.Null, "the subscription")
	_ = value(client.UnregisterListener(ctx, tmf648.UnregisterListenerParams{ID: subscription.ID})).(*tmf648.Deleted)

	_ = value(client.DeleteQuote(ctx, tmf648.DeleteQuoteParams{ID: id})).(*tmf648.Deleted)
	gone := value(client.RetrieveQuote(ctx, tmf648.RetrieveQuoteParams{ID: id})).(*tmf648.RetrieveQuoteNotFound)
	must(gone.Code == "notFound", "the typed 404")
}

func sales(address string) {
	ctx := context.Background()
	client := value(tmf699.NewClient(address, noSalesCredentials{}))

	body := tmf699.SalesLeadCreate{Name: "Campaign", Rating: tmf699.NewOptString("hot")}
	created := value(client.CreateSalesLead(ctx, &body, tmf699.CreateSalesLeadParams{}))
	lead := created.(*tmf699.SalesLeadHeaders).Response
	must(lead.Status.Value == tmf699.SalesLeadStateTypeAcknowledged, "the status")

	patch := tmf699.SalesLeadMergePatch{Status: tmf699.NewOptSalesLeadStateType(tmf699.SalesLeadStateTypeInProgress)}
	patch.Rating.SetToNull()
	answer := value(client.PatchSalesLead(ctx, &patch, tmf699.PatchSalesLeadParams{ID: lead.ID}))
	changed := answer.(*tmf699.PatchSalesLeadOKHeaders).Response
	must(changed.Status.Value == tmf699.SalesLeadStateTypeInProgress && !changed.Rating.Set, "the merge patch")
	_ = value(client.DeleteSalesLead(ctx, tmf699.DeleteSalesLeadParams{ID: lead.ID})).(*tmf699.Deleted)
}

type noQuoteCredentials struct{}

func (noQuoteCredentials) ApiKey(context.Context, tmf648.OperationName) (tmf648.ApiKey, error) {
	return tmf648.ApiKey{}, ogenerrors.ErrSkipClientSecurity
}

func (noQuoteCredentials) OAuth2(context.Context, tmf648.OperationName) (tmf648.OAuth2, error) {
	return tmf648.OAuth2{}, ogenerrors.ErrSkipClientSecurity
}

type noSalesCredentials struct{}

func (noSalesCredentials) ApiKey(context.Context, tmf699.OperationName) (tmf699.ApiKey, error) {
	return tmf699.ApiKey{}, ogenerrors.ErrSkipClientSecurity
}

func (noSalesCredentials) OAuth2(context.Context, tmf699.OperationName) (tmf699.OAuth2, error) {
	return tmf699.OAuth2{}, ogenerrors.ErrSkipClientSecurity
}

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
