package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.contracts.ProductChanged;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Products and their prices. Events do not contain the stock: ask the products service. */
@Component
class ProductView implements View {

    private static final int MOST = 500;

    private final JdbcClient database;

    ProductView(JdbcClient database) {
        this.database = database;
    }

    /**
     * A product.
     *
     * @param priceCents unit price, in hundredths of the currency
     * @param currency three-letter ISO code
     * @param currencyName null if there was no event about the currency
     */
    record Product(
            String productId,
            String name,
            long priceCents,
            String currency,
            @Nullable String currencyName) {}

    @Override
    public void apply(ShopEvent told) {
        SpecificRecord event = told.body();
        if (event instanceof ProductAdded is) {
            product(is.getProductId(), is.getVersion(), is.getName(), is.getPriceCents(), is.getCurrency());
        } else if (event instanceof ProductChanged is) {
            product(is.getProductId(), is.getVersion(), is.getName(), is.getPriceCents(), is.getCurrency());
        }
    }

    List<Product> all() {
        return database.sql("""
                        SELECT p.product_id, p.name, p.price_cents, p.currency, currency_view.name AS currency_name
                        FROM product_view p LEFT JOIN currency_view ON currency_view.code = p.currency
                        ORDER BY p.name, p.product_id
                        LIMIT :most
                        """).param("most", MOST).query(Product.class).list();
    }

    private void product(String productId, int version, String name, long priceCents, String currency) {
        database.sql("""
                        INSERT INTO product_view (product_id, version, name, price_cents, currency)
                        VALUES (:product_id, :version, :name, :price_cents, :currency)
                        ON CONFLICT (product_id) DO UPDATE SET version = excluded.version, name = excluded.name,
                            price_cents = excluded.price_cents, currency = excluded.currency
                        WHERE product_view.version < excluded.version
                        """)
                .param("product_id", productId)
                .param("version", version)
                .param("name", name)
                .param("price_cents", priceCents)
                .param("currency", currency)
                .update();
    }
}
