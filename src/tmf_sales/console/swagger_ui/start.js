// Shows the contract that the page names; asks no other host for anything.
window.addEventListener("load", () => {
  const page = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    url: page.dataset.contract,
    domNode: page,
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
    queryConfigEnabled: false,
  });
});
