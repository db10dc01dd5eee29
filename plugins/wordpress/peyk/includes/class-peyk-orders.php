<?php
/**
 * Texts of WooCommerce orders, to the customer and to the managers of the shop.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Listens to changes of status. Whatever goes wrong here goes to the log: an order is never stopped by it.
 */
final class Peyk_Orders {

	/** On the order: how many changes were told, and the status that was told last. */
	const META = '_peyk_told';

	/** Names of goods that a text may list. */
	const ITEMS_MAX = 20;

	/** Where it meets WooCommerce; without it nothing of this is ever called. */
	public static function hook() {
		add_action( 'before_woocommerce_init', array( __CLASS__, 'declare_compatibility' ) );
		add_action( 'woocommerce_order_status_changed', array( __CLASS__, 'status_changed' ), 20, 4 );
	}

	/** Orders are read and written through their own methods only, wherever WooCommerce keeps them. */
	public static function declare_compatibility() {
		$features = 'Automattic\WooCommerce\Utilities\FeaturesUtil';
		if ( class_exists( $features ) ) {
			call_user_func( array( $features, 'declare_compatibility' ), 'custom_order_tables', PEYK_FILE, true );
			call_user_func( array( $features, 'declare_compatibility' ), 'cart_checkout_blocks', PEYK_FILE, true );
		}
	}

	/**
	 * The variables of texts, and what they mean.
	 *
	 * @return array<string, string>
	 */
	public static function variables() {
		$variables = array(
			'order_number' => __( 'number of the order', 'peyk' ),
			'status'       => __( 'name of the status', 'peyk' ),
			'first_name'   => __( 'first name', 'peyk' ),
			'last_name'    => __( 'last name', 'peyk' ),
			'phone'        => __( 'phone of the order', 'peyk' ),
			'total'        => __( 'amount with its currency', 'peyk' ),
			'items'        => __( 'names of the goods', 'peyk' ),
			'item_count'   => __( 'how many goods', 'peyk' ),
			'payment'      => __( 'way of payment', 'peyk' ),
			'city'         => __( 'city', 'peyk' ),
			'date'         => __( 'date of the order', 'peyk' ),
			'shop'         => __( 'name of the shop', 'peyk' ),
		);
		/**
		 * Adds variables. Their values come from `peyk_order_values`.
		 *
		 * @param array<string, string> $variables Names and meanings.
		 */
		return apply_filters( 'peyk_order_variables', $variables );
	}

	/**
	 * What stands in braces in a text and is no variable.
	 *
	 * @param string $text A text of an order.
	 * @return string[]
	 */
	public static function unknown_variables( $text ) {
		preg_match_all( '/\{([a-z0-9_]+)\}/', $text, $found );
		return array_values( array_diff( array_unique( $found[1] ), array_keys( self::variables() ) ) );
	}

	/**
	 * An order changed its status.
	 *
	 * @param int           $order_id The order.
	 * @param string        $from     Its status before.
	 * @param string        $to       Its status now.
	 * @param WC_Order|null $order    The order itself.
	 */
	public static function status_changed( $order_id, $from, $to, $order = null ) {
		try {
			$order = is_object( $order ) ? $order : wc_get_order( $order_id );
			if ( ! is_object( $order ) ) {
				return;
			}
			$change = self::count_change( $order, (string) $to );
			if ( null !== $change ) {
				self::tell( $order, (string) $to, $change );
			}
		} catch ( Throwable $error ) {
			Peyk_Messages::complain( sprintf( 'order %d: %s', (int) $order_id, $error->getMessage() ) );
		}
	}

	/**
	 * The number of this change of the order; null when it was told already. A payment is often told of
	 * twice at the same time, by the customer's browser and by the bank: both then count to the same number,
	 * and the key made from it lets only one message through.
	 *
	 * @param WC_Order $order The order.
	 * @param string   $to    Its status now.
	 */
	private static function count_change( $order, $to ) {
		$told   = explode( ':', (string) $order->get_meta( self::META, true ), 2 );
		$number = (int) $told[0];
		if ( isset( $told[1] ) && $told[1] === $to ) {
			return null;
		}
		$order->update_meta_data( self::META, ( $number + 1 ) . ':' . $to );
		// Not save(), which would change the status again.
		$order->save_meta_data();
		return $number + 1;
	}

	/**
	 * Sends the texts of a status.
	 *
	 * @param WC_Order $order  The order.
	 * @param string   $status Its status now.
	 * @param int      $change The number of the change.
	 */
	private static function tell( $order, $status, $change ) {
		$sides = array(
			'customer' => array( self::customer_number( $order ) ),
			'manager'  => Peyk_Numbers::mobiles( Peyk_Settings::get( 'managers' ) ),
		);
		foreach ( $sides as $side => $numbers ) {
			$text = Peyk_Settings::order_text( $status, $side );
			if ( '' === $text || array() === array_filter( $numbers ) ) {
				continue;
			}
			$result = peyk_send(
				$numbers,
				self::fill( $text, $order, $status ),
				array(
					'origin' => "order {$order->get_id()} $status $side",
					'key'    => "order:{$order->get_id()}:$change:$status:$side",
					'retry'  => true,
				)
			);
			if ( is_wp_error( $result ) && 'peyk_duplicate' !== $result->get_error_code() ) {
				Peyk_Messages::complain( sprintf( 'order %d, %s: %s', $order->get_id(), $side, $result->get_error_message() ) );
			}
		}
	}

	/**
	 * The customer's mobile number: that of the order, else that of the account.
	 *
	 * @param WC_Order $order The order.
	 */
	private static function customer_number( $order ) {
		$number = Peyk_Numbers::mobile( $order->get_billing_phone() );
		if ( '' === $number && $order->get_customer_id() > 0 ) {
			$number = peyk_user_number( $order->get_customer_id() );
		}
		/**
		 * Changes the number that texts of an order go to.
		 *
		 * @param string   $number `+98…`, or an empty text.
		 * @param WC_Order $order  The order.
		 */
		return Peyk_Numbers::mobile( apply_filters( 'peyk_order_number', $number, $order ) );
	}

	/**
	 * A text with the values of an order. Values are no texts in turn: braces in a name stay as they are.
	 *
	 * @param string   $text   The text.
	 * @param WC_Order $order  The order.
	 * @param string   $status Its status now.
	 */
	private static function fill( $text, $order, $status ) {
		/**
		 * Changes the values of variables.
		 *
		 * @param array<string, string> $values Values by name.
		 * @param WC_Order              $order  The order.
		 */
		$values = apply_filters( 'peyk_order_values', self::values( $order, $status ), $order );
		$pairs  = array();
		foreach ( $values as $name => $value ) {
			$pairs[ '{' . $name . '}' ] = self::plain( $value );
		}
		return strtr( $text, $pairs );
	}

	/**
	 * The values of an order.
	 *
	 * @param WC_Order $order  The order.
	 * @param string   $status Its status now.
	 */
	private static function values( $order, $status ) {
		$created = $order->get_date_created();
		return array(
			'order_number' => $order->get_order_number(),
			'status'       => wc_get_order_status_name( $status ),
			'first_name'   => $order->get_billing_first_name(),
			'last_name'    => $order->get_billing_last_name(),
			'phone'        => $order->get_billing_phone(),
			'total'        => wc_price( $order->get_total(), array( 'currency' => $order->get_currency() ) ),
			'items'        => self::items( $order ),
			'item_count'   => (string) $order->get_item_count(),
			'payment'      => $order->get_payment_method_title(),
			'city'         => $order->get_billing_city(),
			'date'         => $created ? Peyk_Dates::show( $created->getTimestamp(), get_locale() ) : '',
			'shop'         => get_bloginfo( 'name' ),
		);
	}

	/**
	 * The names of the goods.
	 *
	 * @param WC_Order $order The order.
	 */
	private static function items( $order ) {
		$names = array();
		foreach ( $order->get_items() as $item ) {
			$quantity = (int) $item->get_quantity();
			$names[]  = $quantity > 1 ? $item->get_name() . ' × ' . $quantity : $item->get_name();
		}
		$more  = count( $names ) - self::ITEMS_MAX;
		$names = array_slice( $names, 0, self::ITEMS_MAX );
		return implode( '، ', $names ) . ( $more > 0 ? ' …' : '' );
	}

	/**
	 * A value as plain text in one line: no tags, no entities, nothing that turns the direction of the rest.
	 *
	 * @param mixed $value What WooCommerce or a filter gave.
	 */
	private static function plain( $value ) {
		$text = is_scalar( $value ) ? (string) $value : '';
		$text = html_entity_decode( wp_strip_all_tags( $text ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
		$text = preg_replace( '/[\x{202A}-\x{202E}\x{2066}-\x{2069}\x{0000}-\x{001F}\x{007F}]+/u', ' ', $text );
		return trim( str_replace( "\xC2\xA0", ' ', (string) $text ) );
	}
}
