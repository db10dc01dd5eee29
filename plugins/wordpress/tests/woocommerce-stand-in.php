<?php
/**
 * Plugin Name: A stand-in for WooCommerce
 *
 * The few functions and methods of WooCommerce that the plugin calls, under the same names, and orders whose
 * changes of status fire the same action. It is no shop.
 */

function wc_get_order_statuses() {
	return array(
		'wc-pending'    => 'Pending payment',
		'wc-processing' => 'Processing',
		'wc-on-hold'    => 'On hold',
		'wc-completed'  => 'Completed',
	);
}

function wc_get_order_status_name( $status ) {
	$all = wc_get_order_statuses();
	return isset( $all[ 'wc-' . $status ] ) ? $all[ 'wc-' . $status ] : $status;
}

function wc_price( $amount, $args = array() ) {
	return '<span class="amount"><bdi>' . number_format( (float) $amount ) . '&nbsp;<span>&#65020;</span></bdi></span>';
}

function wc_get_order( $id ) {
	return WC_Order::load( $id );
}

class WC_Order_Item_Stand_In {
	private $name;
	private $quantity;

	public function __construct( $name, $quantity ) {
		$this->name     = $name;
		$this->quantity = $quantity;
	}

	public function get_name() {
		return $this->name;
	}

	public function get_quantity() {
		return $this->quantity;
	}
}

class WC_Order {
	private $id;
	private $data;
	private $changed = array();

	/** Orders are rows of an option: every object has what was there when it was loaded. */
	public static function create( array $data ) {
		$all  = get_option( 'stand_in_orders', array() );
		$id   = count( $all ) + 101;
		$data += array(
			'status'      => 'pending',
			'phone'       => '',
			'first_name'  => '',
			'last_name'   => '',
			'customer_id' => 0,
			'total'       => '125000',
			'items'       => array(),
			'meta'        => array(),
		);
		$all[ $id ] = $data;
		update_option( 'stand_in_orders', $all );
		return self::load( $id );
	}

	public static function load( $id ) {
		$all = get_option( 'stand_in_orders', array() );
		if ( ! isset( $all[ $id ] ) ) {
			return false;
		}
		$order       = new self();
		$order->id   = $id;
		$order->data = $all[ $id ];
		return $order;
	}

	public function update_status( $to ) {
		$from                 = $this->data['status'];
		$this->data['status'] = $to;
		$all                  = get_option( 'stand_in_orders', array() );
		$all[ $this->id ]['status'] = $to;
		update_option( 'stand_in_orders', $all );
		do_action( 'woocommerce_order_status_changed', $this->id, $from, $to, $this );
	}

	public function get_meta( $name, $single = true ) {
		return isset( $this->data['meta'][ $name ] ) ? $this->data['meta'][ $name ] : '';
	}

	public function update_meta_data( $name, $value ) {
		$this->data['meta'][ $name ] = $value;
		$this->changed[ $name ]      = $value;
	}

	public function save_meta_data() {
		$all = get_option( 'stand_in_orders', array() );
		$all[ $this->id ]['meta'] = array_merge( $all[ $this->id ]['meta'], $this->changed );
		update_option( 'stand_in_orders', $all );
	}

	public function get_id() {
		return $this->id;
	}

	public function get_order_number() {
		return (string) $this->id;
	}

	public function get_billing_phone() {
		return $this->data['phone'];
	}

	public function set_billing_phone( $phone ) {
		$this->data['phone'] = $phone;
	}

	public function get_billing_first_name() {
		return $this->data['first_name'];
	}

	public function get_billing_last_name() {
		return $this->data['last_name'];
	}

	public function get_billing_city() {
		return 'تهران';
	}

	public function get_customer_id() {
		return $this->data['customer_id'];
	}

	public function get_total() {
		return $this->data['total'];
	}

	public function get_currency() {
		return 'IRR';
	}

	public function get_payment_method_title() {
		return 'کارت';
	}

	public function get_date_created() {
		return new DateTimeImmutable( '2026-11-22T20:00:00Z' );
	}

	public function get_items() {
		return array_map(
			static function ( $item ) {
				return new WC_Order_Item_Stand_In( $item[0], $item[1] );
			},
			$this->data['items']
		);
	}

	public function get_item_count() {
		return array_sum( array_column( $this->data['items'], 1 ) );
	}
}
