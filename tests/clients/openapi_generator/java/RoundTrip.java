import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;

/** What a user of the generated clients does: one sales lead and one quote from their creation to their removal. */
public final class RoundTrip {
    public static void main(String[] arguments) throws Exception {
        sales(arguments[0] + "/tmf-api/sales/v4");
        quote(arguments[0] + "/tmf-api/quoteManagement/v4");
        System.out.println("round trip done");
    }

    private static void sales(String url) throws Exception {
        var client = new tmf699.ApiClient();
        client.updateBaseUri(url);
        var leads = new tmf699.api.SalesLeadApi(client);
        var wanted = new tmf699.model.SalesLeadCreate()
                .name("Campaign")
                .rating("hot")
                .priority(tmf699.model.SalesLeadPriorityType.HIGH)
                .addRelatedPartyItem(new tmf699.model.RelatedPartyCreate().id("java").atReferredType("Individual"));
        var lead = leads.createSalesLead(wanted, null, null, null);
        must(lead.getStatus() == tmf699.model.SalesLeadStateType.ACKNOWLEDGED);
        leads.createSalesLead(wanted, null, null, null);
        must(leads.retrieveSalesLead(lead.getId(), null, null, null, null, null, null, null).equals(lead));

        var filter = "relatedParty[?(@.id=='java')]";
        must(leads.listSalesLead(null, null, null, null, 0L, 100, null, filter, null).size() == 2);
        var page = leads.listSalesLeadWithHttpInfo(null, null, null, null, 0L, 1, "name", filter, null);
        must(page.getStatusCode() == 206 && page.getData().size() == 1);
        must(header(page.getHeaders(), "x-total-count").equals("2"));

        var patch = new tmf699.model.SalesLeadMergePatch()
                .status(tmf699.model.SalesLeadStateType.IN_PROGRESS)
                .rating(null);
        var changed = leads.patchSalesLead(lead.getId(), patch, null, null, null, null);
        must(changed.getStatus() == tmf699.model.SalesLeadStateType.IN_PROGRESS && changed.getRating() == null);

        try {
            leads.createSalesLead(new tmf699.model.SalesLeadCreate().name("x".repeat(513)), null, null, null);
            must(false);
        } catch (tmf699.ApiException refused) {
            must(refused.getCode() == 400);
            var error = client.getObjectMapper().readValue(refused.getResponseBody(), tmf699.model.Error.class);
            must(error.getCode().equals("invalidBody") && error.getMessage().contains("/name"));
        }
        leads.deleteSalesLead(lead.getId(), null, null, null);
        try {
            leads.retrieveSalesLead(lead.getId(), null, null, null, null, null, null, null);
            must(false);
        } catch (tmf699.ApiException gone) {
            var error = client.getObjectMapper().readValue(gone.getResponseBody(), tmf699.model.Error.class);
            must(error.getStatus().equals("404") && error.getCode().equals("notFound"));
        }
    }

    private static void quote(String url) throws Exception {
        var client = new tmf648.ApiClient();
        client.updateBaseUri(url);
        var quotes = new tmf648.api.QuoteApi(client);
        var inner = new tmf648.model.QuoteItemCreate().id("2").action("add");
        var wanted = new tmf648.model.QuoteCreate()
                .category("enterprise")
                .description("First")
                .addQuoteItemItem(new tmf648.model.QuoteItemCreate().id("1").action("add").addQuoteItemItem(inner))
                .addRelatedPartyItem(new tmf648.model.RelatedPartyCreate().id("java").atReferredType("Organization"));
        var created = quotes.createQuote(wanted, null, null, null);
        must(created.getState() == tmf648.model.QuoteStateType.IN_PROGRESS);
        quotes.createQuote(wanted, null, null, null);
        var quote = quotes.retrieveQuote(created.getId(), null, null, null, null, null, null, null);
        must(quote.getQuoteItem().get(0).getQuoteItem().get(0).getId().equals("2"));

        var filter = "relatedParty[?(@.id=='java')]";
        must(quotes.listQuote(null, null, null, null, 0L, 100, null, filter, null).size() == 2);
        var page = quotes.listQuoteWithHttpInfo(null, null, null, null, 0L, 1, null, filter, null);
        must(page.getStatusCode() == 206 && page.getData().size() == 1);
        must(header(page.getHeaders(), "x-total-count").equals("2"));

        var patch = new tmf648.model.QuoteMergePatch().category("residential").description(null);
        var changed = quotes.patchQuote(created.getId(), patch, null, null, null, null);
        must(changed.getCategory().equals("residential") && changed.getDescription() == null);
        must(jsonPatch(client, url + "/quote/" + created.getId()).getCategory().equals("enterprise"));

        try {
            quotes.createQuote(new tmf648.model.QuoteCreate().quoteItem(List.of()), null, null, null);
            must(false);
        } catch (tmf648.ApiException refused) {
            must(refused.getCode() == 400);
            var error = client.getObjectMapper().readValue(refused.getResponseBody(), tmf648.model.Error.class);
            must(error.getMessage().contains("/quoteItem"));
        }
        var accepted = new tmf648.model.QuoteMergePatch().state(tmf648.model.QuoteStateType.ACCEPTED);
        try {
            quotes.patchQuote(created.getId(), accepted, null, null, null, null);
            must(false);
        } catch (tmf648.ApiException conflict) {
            var error = client.getObjectMapper().readValue(conflict.getResponseBody(), tmf648.model.Error.class);
            must(conflict.getCode() == 409 && error.getStatus().equals("409"));
        }
        var hub = new tmf648.api.HubApi(client);
        var input = new tmf648.model.EventSubscriptionInput().callback(URI.create("http://127.0.0.1:9/java"));
        var subscription = hub.registerListener(input, null);
        must(subscription.getCallback().equals(input.getCallback()) && subscription.getQuery() == null);
        hub.unregisterListener(subscription.getId(), null);
        quotes.deleteQuote(created.getId(), null, null, null);
        try {
            quotes.retrieveQuote(created.getId(), null, null, null, null, null, null, null);
            must(false);
        } catch (tmf648.ApiException gone) {
            var error = client.getObjectMapper().readValue(gone.getResponseBody(), tmf648.model.Error.class);
            must(error.getStatus().equals("404") && error.getCode().equals("notFound"));
        }
    }

    /** Sends what the generated client cannot: its patch is a merge patch. Only the answer is of a generated type. */
    private static tmf648.model.Quote jsonPatch(tmf648.ApiClient client, String url) throws Exception {
        var operations = "[{\"op\": \"replace\", \"path\": \"/category\", \"value\": \"enterprise\"}]";
        var request = HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/json-patch+json")
                .method("PATCH", HttpRequest.BodyPublishers.ofString(operations))
                .build();
        var response = client.getHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        return client.getObjectMapper().readValue(response.body(), tmf648.model.Quote.class);
    }

    private static String header(Map<String, List<String>> headers, String name) {
        return headers.get(name).get(0);
    }

    private static void must(boolean holds) {
        if (!holds) {
            throw new AssertionError();
        }
    }
}
